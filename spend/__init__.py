"""Knows what a call costs and who pays: pure rules, no input or output."""
