"""Understands spans as sightings of calls: begin with ``understand.py``, which has the steps."""
