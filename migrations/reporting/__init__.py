"""Views for whoever asks in SQL: the schema ``reporting`` (docs/views.md).

What a revision made of them stands in modules that begin with its number, and never changes: a
later revision that changes a view writes its whole text anew, and ``newest.py`` names it.
"""
