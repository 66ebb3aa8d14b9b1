"""The SQL of the routes: functions that read one thing each, of the copies (``mirror``) or in place (``warehouse``)."""
