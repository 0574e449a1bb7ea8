"""Brings the ledger to what it is to say."""
