"""The transformations: one Ibis function a table, no I/O and no settings look-ups inside."""
