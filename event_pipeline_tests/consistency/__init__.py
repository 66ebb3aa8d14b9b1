"""Each figure of an event, asked wherever it appears: there is one value."""
