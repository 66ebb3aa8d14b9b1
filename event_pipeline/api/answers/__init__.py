"""The bodies of answers and requests, each with an example."""
