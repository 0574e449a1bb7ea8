"""Puts down what was heard, in one transaction for all that waits; says what was heard lately."""
