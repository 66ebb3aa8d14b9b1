"""The oracle: every figure of core and marts recomputed from the documents in plain Python.

It shares no code with the product: it is written from the data dictionary, and reads documents with parsers of its own.
What the product's increments and rebuild make is compared with it, so that a wrong definition shows, not only a wrong
increment.
"""
