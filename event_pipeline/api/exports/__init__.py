"""What can be exported, answered at once or made in the background; the files themselves are written by ``exports``."""
