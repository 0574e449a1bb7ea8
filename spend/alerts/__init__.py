"""What is watched, and when it is told."""
