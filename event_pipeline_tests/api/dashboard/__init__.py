"""The dashboard's pages, most of them in a real browser."""
