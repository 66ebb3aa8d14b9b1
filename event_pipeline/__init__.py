"""Event Pipeline: from an event manager app's untidy documents to a warehouse people trust.

Rooms: ``sources`` read the outside world into ``Change`` records; ``contracts``: what each table promises; ``models``:
one Ibis function a table; ``warehouse`` is where tables live; ``definitions`` is all that knows Dagster.
"""
