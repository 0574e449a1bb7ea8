"""Answers: REST under /v1, and what a person needs to find it (FastAPI)."""
