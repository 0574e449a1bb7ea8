"""What was warned of, what became of the messages, the rules."""
