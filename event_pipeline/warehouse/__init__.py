"""Where tables live: the two DuckLake catalogs, the write lock, raw commits, table writes."""
