"""The GPUs that the simulated company rents and owns, and what an hour of them costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.demo.models import LLAMA, MISTRAL_SMALL, Model


@dataclass(frozen=True, slots=True)
class GpuPool:
    """Capacity that is paid for by the hour, whoever uses it (docs/pools.md)."""

    name: str
    kind: str
    model: Model
    components: Sequence[Mapping[str, Any]]
    """In US dollars. Depreciation begins with the year."""
    capacity_per_hour: int | None = None
    """Work units, if measured; None: busy is the time with a call in flight."""
    tariffs: Sequence[Mapping[str, Any]] = ()

    def said(self, *, since: datetime, currency: str) -> dict[str, Any]:
        """As POST /v1/pools takes it, from ``since`` on."""
        told: dict[str, Any] = {
            "name": self.name,
            "kind": self.kind,
            "match": {"model": [self.model.answers_as], "deployment": ["self-hosted"]},
            "components": [
                {**each, "from": f"{since.year}-01-01"} if each["kind"] == "depreciation" else each
                for each in self.components
            ],
            "currency": currency,
            "from": since.isoformat(),
        }
        if self.tariffs:
            told["tariffs"] = self.tariffs
        if self.capacity_per_hour is not None:
            told["capacity_per_hour"] = str(self.capacity_per_hour)
        return told


POOLS: Final = (
    GpuPool(
        "llama-70b on 1 x H200",
        "rented",
        LLAMA,
        (
            # Nebius list price of an H200, read 2026-09-26; the people are assumed.
            {"kind": "rental", "amount": "4.50", "per": "hour"},
            {"kind": "engineering", "name": "operations", "amount": "1.00", "per": "hour"},
        ),
    ),
    GpuPool(
        "mistral-24b on 1 x L40S",
        "owned",
        MISTRAL_SMALL,
        (
            # All assumed: a small server, its place in somebody's rack, a fiftieth of an engineer.
            {"kind": "depreciation", "purchase": "16000", "residual": "2000", "life_months": 48},
            {
                "kind": "energy",
                "watts": "750",
                "idle_watts": "250",
                "pue": "1.4",
                "tariff": "day and night",
            },
            {"kind": "colocation", "amount": "180", "per": "month"},
            {
                "kind": "engineering",
                "name": "operations",
                "amount": "150000",
                "per": "year",
                "quantity": "0.02",
            },
        ),
        capacity_per_hour=1_400_000,
        tariffs=(
            {
                "name": "day and night",
                "rates": [
                    {"price": "0.16", "hours": "07:00-22:00"},
                    {"price": "0.11", "hours": "22:00-07:00"},
                ],
            },
        ),
    ),
)
