"""Remembers, in Postgres, through SQLAlchemy. Functions take a session first and never commit."""
