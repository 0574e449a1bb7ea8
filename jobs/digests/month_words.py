"""Puts into words that the books of a month were closed, or opened again."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from spend.channels.notices import MONTH_CLOSED, Notice, NoticeTable
from spend.moments import moment_text
from spend.money import EXACT, ROUNDING, plain
from spend.months.months import CLOSE, REOPEN, SOFT_CLOSE
from spend.statements.statements import Statement, TeamPart
from store.alerts.digests import Act

LONGEST: Final = 12
"""Teams of a table: the others are one line."""

_DONE: Final = {SOFT_CLOSE: "soft-closed", CLOSE: "closed", REOPEN: "open again"}


@dataclass(frozen=True, slots=True)
class MonthTold:
    """Something done with a month, and what its statement says since."""

    act: Act
    statement: Statement
    hash: str | None
    """Of the record that it was closed with."""


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    amount: Decimal | None
    """In whole coins, as the next."""
    before: Decimal | None


def notice(told: MonthTold, teams: tuple[str, ...] = (), api_url: str | None = None) -> Notice:
    """What is told of it, of some teams, or of all where none is said."""
    act, statement = told.act, told.statement
    lines = [_line(each) for each in statement.parts if not teams or each.team in teams]
    total = _sum("", lines)
    currency = statement.currency
    whose = f" of {', '.join(teams)}" if teams else ""
    title = f"{act.month} is {_DONE[act.act]}: {_money(total.amount, currency)}{whose}"
    record = told.hash if act.act == CLOSE else None
    return Notice(
        kind=MONTH_CLOSED,
        level="info",
        title=title,
        summary=f"{title}, {_change(total) or 'nothing to compare with'}. By {act.by}."
        + (f" Record {record}." if record else ""),
        facts=_facts(told, total),
        tables=_tables(lines, currency),
        paragraphs=_paragraphs(act, record),
        small=f"{act.at:%Y-%m-%d %H:%M} UTC · {_days(statement)}",
        link_text="Its statement" if api_url else None,
        link=f"{api_url.rstrip('/')}/statements/{act.month}" if api_url else None,
        team=teams[0] if len(teams) == 1 else None,
        data=_data(told, lines, total, record),
    )


def _facts(told: MonthTold, total: _Line) -> tuple[tuple[str, str], ...]:
    act, currency = told.act, told.statement.currency
    found = [
        ("Total", _money(total.amount, currency)),
        (told.statement.before.name, _money(total.before, currency)),
        ("Difference", _change(total) or "cannot be told"),
        ({REOPEN: "Opened by"}.get(act.act, "Closed by"), act.by),
    ]
    return tuple(found)


def _tables(lines: list[_Line], currency: str) -> tuple[NoticeTable, ...]:
    shown = [each for each in lines if each.amount or each.before]
    if len(shown) > LONGEST:
        others = shown[LONGEST - 1 :]
        shown = [*shown[: LONGEST - 1], _sum(f"{len(others)} others", others)]
    if len(shown) < 2:  # noqa: PLR2004  # a line alone is the total
        return ()
    rows = tuple((each.name, _amount(each.amount), _difference(each)) for each in shown)
    return (NoticeTable(f"Teams, {currency}, and by how much that is more", rows),)


def _paragraphs(act: Act, record: str | None) -> tuple[str, ...]:
    found = []
    if act.note:
        found.append(f"{'Why' if act.act == REOPEN else 'Note'}: {act.note}")
    if act.accepted:
        found.append("Accepted: " + "; ".join(act.accepted))
    if record:
        found.append(
            "Keep this hash; that nothing of the month moved is proven with it by: "
            f"spanledger months verify --hash {record}"
        )
    if act.act == SOFT_CLOSE:
        found.append("What comes late is booked in the next month. It may be opened again.")
    if act.act == REOPEN:
        found.append("What was booked in the next month meanwhile stays there.")
    return tuple(found)


def _line(part: TeamPart) -> _Line:
    return _Line(part.team, part.figures.amount, part.figures.last_amount)


def _sum(name: str, lines: list[_Line]) -> _Line:
    """Coins of a statement add up."""
    amounts = [each.amount for each in lines if each.amount is not None]
    before = [each.before for each in lines if each.before is not None]
    return _Line(name, _added(amounts), _added(before))


def _added(amounts: list[Decimal]) -> Decimal | None:
    total = None
    for each in amounts:
        total = each if total is None else EXACT.add(total, each)
    return total


def _change(line: _Line) -> str:
    difference = _difference(line)
    if not difference or not line.before:
        return difference
    share = ROUNDING.divide(
        EXACT.multiply(EXACT.subtract(line.amount or Decimal(0), line.before), Decimal(100)),
        line.before,
    )
    return f"{difference} ({share.quantize(Decimal(1), ROUND_HALF_EVEN, ROUNDING):+,} %)"


def _difference(line: _Line) -> str:
    if line.amount is None and line.before is None:
        return ""
    return f"{EXACT.subtract(line.amount or Decimal(0), line.before or Decimal(0)):+,}"


def _money(amount: Decimal | None, currency: str) -> str:
    return "nothing" if amount is None else f"{amount:,} {currency}"


def _amount(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:,}"


def _days(statement: Statement) -> str:
    month = statement.month
    return f"{month.start:%Y-%m-%d %H:%M} to {month.end:%Y-%m-%d %H:%M} UTC"


def _data(told: MonthTold, lines: list[_Line], total: _Line, record: str | None) -> dict[str, Any]:
    act, statement = told.act, told.statement
    return {
        "month": act.month,
        "act": act.act,
        "at": moment_text(act.at),
        "by": act.by,
        "note": act.note,
        "accepted": list(act.accepted),
        "currency": statement.currency,
        "total": _pair(total),
        "teams": [_pair(each) for each in lines],
        "month_before": statement.before.name,
        "hash": record,
    }


def _pair(line: _Line) -> dict[str, str | None]:
    return {
        "name": line.name,
        "amount": None if line.amount is None else plain(line.amount),
        "before": None if line.before is None else plain(line.before),
    }
