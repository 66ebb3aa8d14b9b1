"""What reading costs: the API beside Datasette over the same tables, quiet and while the stream worker writes."""
