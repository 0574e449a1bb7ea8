"""Commitments as they were agreed, and how far they are used."""
