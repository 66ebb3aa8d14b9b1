"""The dashboard at ``/``: pages for organisers, made on the server of the API's own answers.

A page is a module in ``pages`` with its router, a template, and a line in ``navigation``; ``pages/__init__`` lists it.
What a key may not see is neither linked nor answered.
"""

from event_pipeline.api.dashboard.dashboard import Dashboard
from event_pipeline.api.dashboard.pages import PAGES

__all__ = ["PAGES", "Dashboard"]
