"""Charges as FOCUS, the FinOps specification of cost and usage."""
