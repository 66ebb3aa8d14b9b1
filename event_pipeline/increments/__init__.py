"""Increments: only what changed since the warehouse was last brought up to date is recomputed, table by table.

Every model declares its scope (the column whose values can be recomputed apart from each other) and, for each input,
which values a changed row touches and which rows are needed to recompute them. A rebuild is the oracle: the result of
an increment equals it, table by table.
"""
