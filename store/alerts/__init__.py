"""Alert rules, where their subjects stand, and what became of alerts."""
