"""What teams spent, and a month as a statement."""
