"""What a series of days is expected to go on like."""
