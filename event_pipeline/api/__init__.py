"""The REST API: what the warehouse knows and what the pipeline does, for people and programs that never see Dagster.

Reads the warehouse only; names and addresses come from the private lake, with the scope ``pii`` alone. Routes are in
``routes``, what they answer in ``answers``, their SQL in ``queries``.
"""

from event_pipeline.api.keys.first import ensure_first_key

__all__ = ["ensure_first_key"]
