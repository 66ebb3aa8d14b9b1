"""Measures the pipeline beside its peers: ``python -m benchmarks``. Every step runs in a fresh process."""
