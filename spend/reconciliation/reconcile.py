"""Compares a bill with our estimate, and says of the whole difference why it is there.

Each part is taken out of what the ones before it left, in this order:

1. *Credits*, *tax and fees* are lines of their own; nothing of them is usage.
2. *Scope*: models, or else accounts, that we never heard of. What was not heard has no quantity or
   price of ours to compare with.
3. *FX*: the estimate at the provider's rate, less the same at ours. All that follows is valued at
   the provider's rate, so that no other part holds a piece of it.
4. *Timing*: units that lack on one day and are too many on one near by (``billed_timing.py``), in
   this bill or in one of the period before or after, at our price. Before quantity, as a lag would
   be two differences of quantity that are none.
5. *Quantity*: what is left of units billed less units heard, at our price.
6. *Price*: what is left of the money. With equal quantities it is the difference of unit prices;
   where both differ, the difference of prices is for the billed quantity, as on an invoice.

So the parts add up to billed less estimated, whatever they are: nothing is left over. Money is a
whole number of 1e-12 in here. docs/reconcile.md
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Final

from spend import money
from spend.periods import Period
from spend.reconciliation import billed_rate
from spend.reconciliation.billed_accounts import unheard_accounts
from spend.reconciliation.billed_coverage import coverage_by_model, together
from spend.reconciliation.billed_keys import Key, Keys
from spend.reconciliation.billed_parts import Cell, Part, Parts, parts_of, within
from spend.reconciliation.bills import ADJUSTMENT, CREDIT, FEE, TAX, USAGE
from spend.reconciliation.variance import Billed, Buckets, Compared, Estimated, Variance

RateOf = Callable[[str, date], Decimal | None]
"""What one unit of a currency was in the bill's on a day (UTC), by our books; None: no rate."""

Rates = dict[str, tuple[Decimal, bool]]
"""Currency -> the provider's rate into the bill's, and whether the bill tells it."""

RATE_IMPLIED: Final = "the bill does not tell its rate from {0}: worked out from its own amounts"
RATE_UNKNOWN: Final = "the bill does not tell its rate from {0}: ours is taken for it"
FARTHEST_RATE: Final = Decimal("0.2")
"""Of our rate: how far from it a provider's can be."""
UNHEARD_ACCOUNT: Final = "account {0}, which we never heard"

_COMPARED_AS: Final = {USAGE: USAGE, CREDIT: CREDIT, ADJUSTMENT: CREDIT, TAX: TAX, FEE: FEE}
_BUCKET: Final = {CREDIT: "credits", TAX: "tax_and_fees", FEE: "tax_and_fees"}
_ALL: Final = Key()

Cells = Mapping[tuple[str, Key], Mapping[Period, Cell]]
"""Kind and key -> what both sides say in each piece of time."""


class NoRateError(ValueError):
    """An estimate is in a currency that our books have no rate for: enter one."""

    def __init__(self, currency: str, to: str, day: date) -> None:
        self.currency = currency
        super().__init__(f"there is no exchange rate from {currency} to {to} for {day}")


def reconcile(
    estimated: Sequence[Estimated],
    billed: Sequence[Billed],
    *,
    period: Period,
    currency: str,
    rate_of: RateOf,
    known: Sequence[Period] = (),
) -> Variance:
    """The variance of what is billed for a period (UTC), in the bill's ``currency``.

    ``known``: periods of other bills of the provider, whose lines (``Billed.elsewhere``) and
    estimates near the period are among the rows. The order of rows makes no difference. Raises
    NoRateError.
    """
    usage = [each for each in estimated if each.kind == USAGE]
    keys = Keys(usage, billed)
    unheard = unheard_accounts(keys, usage, billed, period, currency)
    cells = _cells(keys, estimated, billed, unheard)
    rates, notes = _rates(cells, currency, partial(_ours, rate_of, period))
    sources = _exchange(cells, currency, rates, rate_of, period)
    lines: list[Compared] = []
    days: dict[Period, Part] = defaultdict(lambda: defaultdict(int))
    for (kind, key), its in cells.items():
        parts = _parts(kind, its, period, known)
        for piece, part in parts.by_piece.items():
            for bucket, atoms in part.items():
                days[piece][bucket] += atoms
        if any(_is_ours(piece, cell, period) for piece, cell in its.items()):
            lines.append(_compared(kind, key, its, period, parts))
    models = coverage_by_model(keys, usage, billed, lines, period)
    return Variance(
        period=period,
        currency=currency,
        lines=tuple(sorted(lines, key=_largest_first)),
        days={
            piece: _buckets([days[piece]])
            for piece in sorted(days, key=lambda each: each.start)
            if any(days[piece].values()) or within(piece, period)
        },
        coverage=together(lines, models),
        models=models,
        rates=rates,
        sources=sources,
        notes=(*notes, *sorted({note for each in lines for note in each.notes})),
        names=keys.names,
    )


def _cells(
    keys: Keys,
    estimated: Iterable[Estimated],
    billed: Iterable[Billed],
    unheard: frozenset[str | None],
) -> Cells:
    cells: dict[tuple[str, Key], dict[Period, Cell]] = defaultdict(lambda: defaultdict(Cell))
    for row in estimated:
        key = keys.of(row) if row.kind == USAGE else _ALL
        cell = cells[row.kind, key][row.piece]
        if row.amount:
            cell.source[row.currency] += money.atoms(row.amount)
        if row.kind == USAGE and keys.counts(row):
            cell.heard += Fraction(row.quantity)
            cell.priced += 0 if row.unpriced else Fraction(row.quantity)
    for line in billed:
        kind = _kind(keys, line)
        key = keys.of(line) if kind == USAGE else _ALL
        if kind == USAGE and line.account in unheard:
            key = Key(description=UNHEARD_ACCOUNT.format(line.account or "without a name"))
        _add(cells[kind, key][line.piece], line, counts=kind != USAGE or keys.counts(line))
    return cells


def _kind(keys: Keys, line: Billed) -> str:
    """As what a line is compared: money back for no model is a credit, whatever it is called."""
    if line.kind == USAGE and keys.by_model and not line.model and line.amount < 0:
        return CREDIT
    return _COMPARED_AS[line.kind]


def _add(cell: Cell, line: Billed, *, counts: bool) -> None:
    amount = money.atoms(line.amount)
    units = Fraction(line.quantity) if counts and line.quantity is not None else Fraction(0)
    untold = not counts or line.quantity is None
    if line.elsewhere:
        cell.elsewhere += amount
        cell.elsewhere_units += units
        cell.elsewhere_untold |= untold
        return
    cell.billed += amount
    cell.units += units
    cell.untold |= untold
    cell.is_billed = True
    if line.rate is not None:
        cell.rates.append((line.rate, amount))


def _rates(
    cells: Cells, currency: str, ours: Callable[[str], Decimal | None]
) -> tuple[Rates, list[str]]:
    """The provider's rates of what we estimate in other currencies than the bill's.

    One that is worked out, and far from ours, is none: much of the bill is something else.
    """
    every = [cell for its in cells.values() for cell in its.values()]
    others = {name for cell in every for name in cell.source if name != currency}
    rates: Rates = {currency: (Decimal(1), True)}
    notes = []
    told = billed_rate.told([each for cell in every for each in cell.rates])
    for name in sorted(others):
        if told is not None and len(others) == 1:
            rates[name] = (told, True)
            continue
        found = billed_rate.implied(
            (_of_as_many(cell, cell.source[name]), cell.billed)
            for (kind, _key), its in cells.items()
            for cell in its.values()
            if kind == USAGE and set(cell.source) == {name} and cell.billed > 0
        )
        booked = ours(name)
        if found and booked and abs(found / booked - 1) > FARTHEST_RATE:
            found = None
        notes.append((RATE_IMPLIED if found else RATE_UNKNOWN).format(name))
        if found:
            rates[name] = (found, False)
    return rates, notes


def _ours(rate_of: RateOf, period: Period, currency: str) -> Decimal | None:
    return rate_of(currency, period.start.astimezone(UTC).date())


def _of_as_many(cell: Cell, ours: int) -> Fraction:
    """What as many units as are billed cost us."""
    if cell.untold or cell.units == cell.heard:
        return Fraction(ours)
    return ours * cell.units / cell.heard if cell.heard else Fraction(0)


def _exchange(
    cells: Cells, currency: str, rates: Rates, rate_of: RateOf, period: Period
) -> dict[str, tuple[Decimal, Decimal]]:
    """Fills what is estimated in the bill's currency, at our rate and at the provider's.

    Sums of the period: currency -> in it, and at our rate.
    """
    sums: dict[str, tuple[int, int]] = {}
    for its in cells.values():
        for piece, cell in its.items():
            for name, atoms in cell.source.items():
                if name == currency:
                    ours = theirs = atoms
                elif atoms:
                    day = piece.start.astimezone(UTC).date()
                    rate = rate_of(name, day)
                    if rate is None:
                        raise NoRateError(name, currency, day)
                    ours = round(Fraction(rate) * atoms)
                    theirs = round(Fraction(rates[name][0]) * atoms) if name in rates else ours
                else:
                    continue
                cell.ours += ours
                cell.theirs += theirs
                if within(piece, period):
                    before = sums.get(name, (0, 0))
                    sums[name] = (before[0] + atoms, before[1] + ours)
    return {name: (money.amount(its), money.amount(at)) for name, (its, at) in sums.items()}


def _parts(kind: str, its: Mapping[Period, Cell], period: Period, known: Sequence[Period]) -> Parts:
    if kind == USAGE:
        return parts_of(its, period, known)
    bucket = _BUCKET[kind]
    by_piece: dict[Period, Part] = {}
    for piece, cell in its.items():
        inside = within(piece, period)
        by_piece[piece] = {
            bucket: cell.billed - (cell.theirs if inside else 0),
            "fx": cell.theirs - cell.ours if inside else 0,
        }
    return Parts(by_piece)


def _is_ours(piece: Period, cell: Cell, period: Period) -> bool:
    """Whether it is of this bill, or of the period's estimate."""
    return cell.is_billed or (within(piece, period) and cell.is_heard)


def _compared(
    kind: str, key: Key, its: Mapping[Period, Cell], period: Period, parts: Parts
) -> Compared:
    inside = [cell for piece, cell in its.items() if within(piece, period)]
    untold = any(cell.untold for cell in its.values())
    return Compared(
        kind=kind,
        model=key.model or None,
        meter=key.meter or None,
        region=key.region or None,
        service_tier=key.service_tier or None,
        description=key.description or None,
        heard_quantity=None if kind != USAGE else _units(inside, "heard"),
        billed_quantity=None if untold or kind != USAGE else _units(its.values(), "units"),
        estimated=money.amount(sum(cell.ours for cell in inside)),
        billed=money.amount(sum(cell.billed for cell in its.values())),
        buckets=_buckets(parts.by_piece.values()),
        heard=any(cell.is_heard for cell in its.values()),
        notes=parts.notes,
    )


def _units(cells: Iterable[Cell], name: str) -> Decimal:
    whole: Fraction = sum((getattr(cell, name) for cell in cells), Fraction(0))
    return money.ROUNDING.divide(Decimal(whole.numerator), Decimal(whole.denominator))


def _buckets(parts: Iterable[Part]) -> Buckets:
    sums: dict[str, int] = defaultdict(int)
    for part in parts:
        for bucket, atoms in part.items():
            sums[bucket] += atoms
    return Buckets(**{bucket: money.amount(atoms) for bucket, atoms in sums.items()})


def _largest_first(line: Compared) -> tuple[object, ...]:
    name = (line.kind, line.model or "", line.meter or "", line.region or "")
    return (
        -abs(line.buckets.total),
        -abs(line.billed),
        *name,
        line.service_tier or "",
        line.description or "",
    )
