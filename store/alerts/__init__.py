"""Alert rules, where their subjects stand, what became of alerts and their messages."""
