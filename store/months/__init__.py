"""Months: what they wait for, closing them, and the proof of what they said."""
