"""Tells other monitoring systems what the month has come to, by OTLP."""
