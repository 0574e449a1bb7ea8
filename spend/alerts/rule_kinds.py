"""The kinds of alert rules: what each measures, in which unit, by which settings.

A kind's function, which measures it, is in ``store/watched/kinds.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from spend.alerts.alert_rules import Value
from spend.budgets.budgets import DIMENSIONS

HOUR: Final = 60
DAY: Final = 24 * HOUR
"""In minutes."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that one kind has of its own."""

    type: str
    """``whole`` number, exact ``number``, ``choice``, ``currency``, ``timezone`` or ``text``."""
    default: Value
    says: str
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 10**12


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rule. Windows are minutes, bounds in ``unit``."""

    says: str
    """What it measures, for the documents and the API."""
    told: str
    """What a message says: ``{of}`` is its subject (' of team=search', or nothing), ``{value}``
    what was measured, with its unit; the kind's own settings by their names."""
    unit: str
    window_minutes: int
    warning: Decimal | None
    over: Decimal | None
    minimum: Decimal
    minimum_of: str
    """What ``minimum`` counts."""
    dimensions: tuple[str, ...] = DIMENSIONS
    """What it can be filtered and split by."""
    by: tuple[str, ...] = ()
    """What it is split by unless a rule says otherwise."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    shortest: int = 15
    longest: int = 31 * DAY
    """Of windows, in minutes."""
    step: int = 1
    """A window is a multiple of so many minutes."""
    every_minutes: int = 1
    """How often it is measured."""


_PERCENTILE: Final = Setting("choice", "p95", "which percentile", ("p50", "p90", "p95", "p99"))
_COMMITMENT: Final = Setting("text", "", "the name of one; '': each of them")

KINDS: Final[Mapping[str, Kind]] = {
    "error-rate": Kind(
        says="per cent of calls that did not end well",
        told="{value} of calls{of} fail",
        unit="percent",
        window_minutes=HOUR,
        warning=None,
        over=Decimal(5),
        minimum=Decimal(20),
        minimum_of="calls",
    ),
    "latency": Kind(
        says="a percentile of how long calls take, in milliseconds",
        told="{percentile} of how long calls{of} take is {value}",
        unit="ms",
        window_minutes=HOUR,
        warning=None,
        over=None,
        minimum=Decimal(20),
        minimum_of="calls that told how long they took",
        settings={"percentile": _PERCENTILE},
    ),
    "time-to-first-token": Kind(
        says="a percentile of the time to the first token, in milliseconds",
        told="{percentile} of the time to the first token{of} is {value}",
        unit="ms",
        window_minutes=HOUR,
        warning=None,
        over=None,
        minimum=Decimal(20),
        minimum_of="calls that told it",
        settings={"percentile": _PERCENTILE},
    ),
    "no-data": Kind(
        says="for how many minutes no call was heard, of what had some in the window",
        told="No call{of} was heard for {value}",
        unit="minutes",
        window_minutes=DAY,
        warning=None,
        over=Decimal(HOUR),
        minimum=Decimal(1),
        minimum_of="calls in the window",
    ),
    "unpriced": Kind(
        says="calls, or their tokens, whose cost is not known",
        told="{value}{of} have no known cost",
        unit="calls",
        window_minutes=DAY,
        warning=Decimal(1),
        over=None,
        minimum=Decimal(0),
        minimum_of="calls in the window",
        by=("provider", "model"),
        settings={
            "count": Setting("choice", "calls", "what is counted", ("calls", "tokens")),
        },
    ),
    "anomaly": Kind(
        says="how much more is spent than in the same hours of past weeks, where that is out of"
        " the ordinary",
        told="Spend{of} is {value} above the same hours of past weeks",
        unit="of the currency",
        window_minutes=3 * HOUR,
        warning=None,
        over=None,
        minimum=Decimal(0),
        minimum_of="what is spent in the window, in the currency",
        by=("team",),
        settings={
            "currency": Setting("currency", "USD", "in which spend is counted"),
            "timezone": Setting("timezone", "UTC", "by whose clock hours are the same"),
            "weeks": Setting("whole", 6, "how many past weeks it is compared with", (), 3, 12),
            "sensitivity": Setting(
                "number", Decimal(4), "how many deviations above what is usual stand out"
            ),
            "ratio": Setting("number", Decimal(2), "how many times what is usual stands out"),
        },
        shortest=HOUR,
        longest=DAY,
        step=HOUR,
        every_minutes=10,
    ),
    "idle-capacity": Kind(
        says="per cent of a pool's cost that nothing used, by pool",
        told="{value} of the capacity{of} is idle",
        unit="percent",
        window_minutes=DAY,
        warning=None,
        over=Decimal(50),
        minimum=Decimal(0),
        minimum_of="the pool's cost in the window, in its currency",
        dimensions=(),
        settings={"pool": Setting("text", "", "the name of one pool; '': each of them")},
        shortest=HOUR,
        step=HOUR,
        every_minutes=15,
    ),
    "commitment-shortfall": Kind(
        says="per cent of a commitment that is expected to be unused at its period's end, by"
        " commitment",
        told="{value}{of} will be left unused",
        unit="percent",
        window_minutes=DAY,
        warning=None,
        over=Decimal(10),
        minimum=Decimal(0),
        minimum_of="the commitment's amount, in its currency",
        dimensions=(),
        settings={"commitment": _COMMITMENT},
        every_minutes=HOUR,
    ),
    "commitment-runs-out": Kind(
        says="per cent of a commitment's period that is expected to be left when it is used up, by"
        " commitment",
        told="{value} of the period{of} will be left when it is used up",
        unit="percent",
        window_minutes=DAY,
        warning=None,
        over=Decimal(10),
        minimum=Decimal(0),
        minimum_of="the commitment's amount, in its currency",
        dimensions=(),
        settings={"commitment": _COMMITMENT},
        every_minutes=HOUR,
    ),
    "price-drift": Kind(
        says="by how many per cent the second public list, the latest bills, or what calls told of"
        " their cost, are off our table, by provider and model",
        told="Prices{of} differ by {value}",
        unit="percent",
        window_minutes=7 * DAY,
        warning=Decimal(2),
        over=None,
        minimum=Decimal(20),
        minimum_of="calls of a model in the window",
        dimensions=("provider", "model"),
        by=("provider", "model"),
        every_minutes=HOUR,
    ),
}


def unit_of(kind: str, settings: Mapping[str, Value]) -> str:
    """The unit of a rule's bounds; '' of a kind that this version does not know."""
    if kind not in KINDS:
        return ""
    return str(settings.get("count") or settings.get("currency") or KINDS[kind].unit)
