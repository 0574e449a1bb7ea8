"""Commitments: credits bought in advance, and spend that was promised."""
