"""The door: whom a scanned code admits, told at once and the same as the tables will say later."""

from event_pipeline.api.door.desk import ANSWERS, Answer, Decision, Door, Override, Scan

__all__ = ["ANSWERS", "Answer", "Decision", "Door", "Override", "Scan"]
