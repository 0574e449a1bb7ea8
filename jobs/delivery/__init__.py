"""Sends what the outbox holds, to places of every kind."""
