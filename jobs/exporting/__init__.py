"""Tells other monitoring what the month has come to, by OTLP."""
