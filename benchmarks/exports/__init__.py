"""What exporting a table costs in each format, beside DuckDB's COPY TO and pandas: ``python -m benchmarks.exports``."""
