"""What each table promises, said once: DDL, row rules, checks, column docs and data dictionary all come from here."""
