"""What was said in calls: as people read it, and what is redacted before it is kept."""
