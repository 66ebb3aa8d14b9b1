"""``python -m event_pipeline.cli``: the command, for those who start it by its module."""

from event_pipeline.cli import main

if __name__ == "__main__":
    main()
