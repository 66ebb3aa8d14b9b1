"""Files for others to work with: each format's writer is fed record batches and gives bytes, in flat memory."""
