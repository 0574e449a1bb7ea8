"""What a statement's parts are called, and its notes: the same in every format for people."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from spend.money import plain
from spend.months.months import CLOSED
from spend.statements.statements import Statement
from spend.statements.why import PART_NAMES, Why

UNKNOWN: Final = "unknown"
NOT_SAID: Final = "not said"
"""Of a region or deployment."""

PARTS: Final[Mapping[str, str]] = {
    "volume": "Volume",
    "mix": "Mix of models",
    "price": "Price of a unit",
    "new": "New models",
    "gone": "Models no longer used",
    "capacity": "Idle and unused capacity",
    "adjustments": "Credits, true-ups, taxes",
    "corrections": "Corrections of earlier months",
    "fx": "Exchange rates",
    "other": "Other",
    "rounding": "Rounding",
}
"""Part of Why -> what it is called."""

SHORT: Final[Mapping[str, str]] = {
    "volume": "Volume",
    "mix": "Mix",
    "price": "Price",
    "new": "New",
    "gone": "Gone",
    "capacity": "Capacity",
    "adjustments": "Adjust.",
    "corrections": "Correct.",
    "fx": "FX",
    "other": "Other",
    "rounding": "Rounding",
}
"""The same over a narrow column."""

MEANS: Final[Mapping[str, str]] = {
    "volume": "each team's tokens changed, at what they cost it on average last month",
    "mix": "its tokens went to dearer or cheaper models",
    "price": "a token of a model came to more or less: prices, output and cache, how busy a pool"
    " was",
    "new": "used this month and not the month before",
    "gone": "used the month before and not this month",
    "capacity": "paid for and not used, and commitments that were bought",
    "adjustments": "lines without usage behind them",
    "corrections": "late usage and prices of months that were closed, less those of the month"
    " before",
    "fx": "this month's amounts at its rates, less the same at last month's",
    "other": "known or counted in one of the two months only",
    "rounding": "what whole coins leave",
}

DEPLOYMENTS: Final[Mapping[str | None, str]] = {
    "api": "Proprietary API",
    "hosted-open": "Hosted open weights",
    "self-hosted": "Self-hosted",
    None: NOT_SAID,
}


def parts_told(why: Why) -> list[str]:
    """The parts that a difference has, in order; volume, mix and price always."""
    always = {"volume", "mix", "price"}
    return [name for name in PART_NAMES if name in always or getattr(why, name)]


def state_told(statement: Statement) -> str:
    """How sure the books are, in a few words."""
    books = statement.books
    known = books.complete_until
    begun = known is None or known > statement.month.start
    # While an older batch waits, what came after it is counted all the same.
    if not begun and statement.total.spent.is_nothing:
        return "to come: nothing of it is counted yet"
    states = {
        "open": "open: figures may still change",
        "soft-closed": "soft-closed: adjustments may still come",
        "closed": "closed: figures do not change any more",
    }
    return states.get(books.state, books.state)


def moment(at: datetime) -> str:
    """A moment for people."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def notes(statement: Statement, when: Callable[[datetime], str] = moment) -> Iterator[str]:
    """What a reader must know of the figures, a sentence or two each; moments told by ``when``."""
    total, books = statement.total.spent, statement.books
    if not statement.parts:
        whom = "" if statement.team is None else f" of team {statement.team}"
        yield f"Nothing was heard{whom} in this month, nor in the one before."
    if books.as_known_at is not None:
        yield f"As it was known at {when(books.as_known_at)}."
    if total.lacks_price:
        yield (
            f"{total.unpriced_calls:,} calls with {total.unpriced_tokens:,} tokens have no known"
            " cost: they are in no amount."
        )
    if total.unmetered_calls:
        yield f"{total.unmetered_calls:,} calls did not say what they used."
    if total.waiting_calls:
        one = total.waiting_calls == 1
        yield f"{total.waiting_calls:,} {'call is' if one else 'calls are'} still being priced."
    for other in statement.elsewhere:
        yield (
            f"{plain(other.cost)} {other.currency} are in no amount: there is no exchange"
            f" rate from {other.currency} to {statement.currency}."
        )
    if books.complete_until is not None:
        yield f"Complete until {when(books.complete_until)}."
    elif books.state == CLOSED:
        yield "Closed: what comes later is booked in a later month."
    elif books.as_known_at is None:
        yield "Not known how far this is complete: the jobs have not run."
