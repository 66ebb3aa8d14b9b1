"""Staging models: the latest version of each document, parsed once, before the row rules are applied.

Each returns the contract's columns plus ``document_id`` and the texts the rules show.
"""
