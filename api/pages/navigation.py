"""What stands in the navigation, in its order."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Place:
    """A page that one can always go to."""

    path: str
    name: str
    icon: str
    """The id of a drawing in ``templates/icons.html``."""
    whole_ledger: bool = False
    """Whether keys of one team see nothing there."""
    also: tuple[str, ...] = ()
    """Other paths that belong to it."""

    def holds(self, path: str) -> bool:
        """Whether a page belongs to it."""
        return any(
            path == each or (each != "/" and path.startswith(f"{each}/"))
            for each in (self.path, *self.also)
        )


@dataclass(frozen=True, slots=True)
class Section:
    """Places that belong together."""

    name: str
    places: tuple[Place, ...]


SECTIONS: Final = (
    Section(
        "Spend",
        (
            Place("/", "Overview", "overview"),
            Place("/explore", "Explore", "explore"),
            Place("/teams", "Teams", "teams", also=("/statements",)),
            Place("/budgets", "Budgets", "budgets"),
            Place("/alerts", "Alerts", "alerts"),
        ),
    ),
    Section(
        "Usage",
        (
            Place("/performance", "Performance", "performance"),
            Place("/calls", "Calls", "calls"),
            Place("/traces", "Traces", "traces"),
        ),
    ),
    Section(
        "Money",
        (
            Place("/models", "Models", "models"),
            Place("/prices", "Prices", "prices", whole_ledger=True),
            Place("/capacity", "Capacity", "capacity", whole_ledger=True, also=("/commitments",)),
            Place("/what-if", "What if", "what-if"),
            Place("/reconciliation", "Reconciliation", "reconciliation", whole_ledger=True),
            Place("/months", "Months", "months", whole_ledger=True),
        ),
    ),
    Section("", (Place("/settings", "Settings", "settings"),)),
)
