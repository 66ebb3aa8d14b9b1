"""Telling receivers: an outbox that survives a crash, and one module for each kind of receiver."""
