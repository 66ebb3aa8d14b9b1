"""Tests of the benchmarks: what they measure against does the same work."""
