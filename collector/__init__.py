"""Hears spans and understands them as calls."""
