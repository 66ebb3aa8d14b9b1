"""What `event-pipeline up` does: prepare the data folder, serve Dagster as child processes, run the pipeline once.

Nothing here knows the terminal; the command shows what happens.
"""
