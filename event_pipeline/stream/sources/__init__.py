"""Sources followed live: each emits the same ``ChangeBatch``es as its polling twin, as things happen."""
