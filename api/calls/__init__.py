"""Single calls and their contents."""
