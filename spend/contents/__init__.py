"""Prompts and answers, where they are kept: redacted."""
