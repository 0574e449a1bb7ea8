"""What a place's answer comes to, in words: what is in the figures, what is not, and why."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from api.pages.formats import Formats
from spend import money
from spend.capacity.what_if import Answer, WhatIf, difference
from spend.capacity.what_if_pool import NO_CAPACITY, NO_HOURS

_WHY_NOT: Final = (NO_CAPACITY, NO_HOURS)


@dataclass(frozen=True, slots=True)
class Told:
    """One place, told."""

    name: str
    cost: Decimal | None
    difference: Decimal | None
    tone: str
    verdict: str
    """Cheaper or dearer, by how much; or why that is not known."""
    notes: tuple[str, ...]
    """What is to be known of the figures."""
    unrated: tuple[str, ...]
    """What could not be rated, and why."""


def told_of(found: WhatIf, answer: Answer, told: Formats, currency: str) -> Told:
    """The whole of an answer, as whoever looks reads it."""
    there, more = answer.whole, difference(found.whole, answer.whole)
    tone = "" if not more else ("bad" if more > 0 else "good")
    return Told(
        name=answer.name,
        cost=there.cost,
        difference=more,
        tone=tone,
        verdict=_why_unknown(answer) or _verdict(found, more, told, currency),
        notes=(
            *_notes(found, answer, told, currency),
            *(note for note in answer.notes if note not in _WHY_NOT and not _is_said(note)),
        ),
        unrated=_unrated(found, answer, told, currency),
    )


def _why_unknown(answer: Answer) -> str | None:
    """Why nothing is known of a pool; None: something is."""
    return next((note for note in answer.notes if note in _WHY_NOT), None)


def _is_said(note: str) -> bool:
    """How many machines it takes: told beside it, with the hour by the reader's clock."""
    return note.startswith("Machines like it")


def _verdict(found: WhatIf, more: Decimal | None, told: Formats, currency: str) -> str:
    if more is None:
        return "not comparable: some calls have no price on one side"
    if not more:
        return "the same"
    words = f"{told.money(abs(more), currency)} {'dearer' if more > 0 else 'cheaper'}"
    cost = found.whole.cost
    if not cost or cost < 0:
        return words
    return f"{words}, {told.percent(abs(money.ROUNDING.divide(more, cost)))}"


def _notes(found: WhatIf, answer: Answer, told: Formats, currency: str) -> list[str]:
    here, there, on = found.whole, answer.whole, answer.on_pool
    notes = []
    if there.low != there.high:
        ends = " to ".join(told.money(each, currency) for each in (there.low, there.high))
        notes.append(f"By the range of tokens: {ends}.")
    if on is not None:
        extra = told.money(on.extra_cost, currency)
        machines = f"{on.machines} machine{'' if on.machines == 1 else 's'}"
        at = told.when(on.busiest)
        notes.append(
            f"It takes {machines} like it for the busiest hour, {at}; further ones cost {extra}."
        )
    if here.idle_cost:
        idle = told.money(here.idle_cost, currency)
        notes.append(f"Now holds {idle} of idle hours: their part of pools that they ran on.")
    return notes


def _unrated(found: WhatIf, answer: Answer, told: Formats, currency: str) -> tuple[str, ...]:
    here, there = found.whole, answer.whole
    why = _why_unknown(answer)
    parts = [] if why is None else [why]
    if here.totals.unpriced_calls and there.cost is None:
        parts.append(f"{told.number(here.totals.unpriced_calls)} calls have no price here either.")
    elif here.totals.unpriced_calls:
        worth = told.money(there.of_unpriced, currency)
        parts.append(
            f"{told.number(here.totals.unpriced_calls)} calls have no price here; there they would"
            f" cost {worth}, which is not in the difference."
        )
    if there.unpriced_calls:
        of = f": there is no price for {', '.join(sorted(there.missing))}" if there.missing else ""
        parts.append(
            f"{told.number(there.unpriced_calls)} calls"
            f" ({told.short(there.unpriced_tokens)} tokens) have no known cost there{of}."
        )
    if here.totals.waiting_calls:
        parts.append(f"{told.number(here.totals.waiting_calls)} calls wait to be charged.")
    return tuple(parts)
