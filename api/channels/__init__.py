"""Channels that messages go to."""
