"""Traces as trees with what each call cost, and one call explained."""
