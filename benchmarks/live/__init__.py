"""``python -m benchmarks.live``: how soon changes are in the warehouse, and what they cost."""
