"""Every table, one file a family. Importing this package fills ``METADATA``."""

from store.tables import (
    access,
    bills,
    budgets,
    commitments,
    days,
    energy,
    heard,
    jobs,
    ledger,
    months,
    ownership,
    pools,
    prices,
    rates,
    readings,
    repricings,
    rollups,
)
from store.tables.base import METADATA

__all__ = [
    "METADATA",
    "access",
    "bills",
    "budgets",
    "commitments",
    "days",
    "energy",
    "heard",
    "jobs",
    "ledger",
    "months",
    "ownership",
    "pools",
    "prices",
    "rates",
    "readings",
    "repricings",
    "rollups",
]
