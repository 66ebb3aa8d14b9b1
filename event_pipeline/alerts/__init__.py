"""What is watched by itself: rules over the pipeline and its figures, alerts, silences, and who is told.

``rules`` look and judge, ``engine`` turns what they found into alerts and notices without input or output, ``store``
keeps both in an own SQLite file, ``delivery`` tells receivers, ``evaluator`` puts them together.
"""
