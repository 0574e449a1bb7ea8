"""The tenant that everything belongs to until several share one database."""

from typing import Final

TENANT: Final = 1

PUBLIC: Final = 0
"""Owner of price lines that hold for every tenant."""
