"""The pages of docs/ that are written from code, so that they cannot say anything else than it does."""
