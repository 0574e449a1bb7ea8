"""Settles up, by the clock: one file a job, the order and the hours in ``timetable.py``."""
