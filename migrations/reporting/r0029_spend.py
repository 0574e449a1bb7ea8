"""Spend by day, by month and by quarter hour: what /v1/spend answers, as views."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from migrations.reporting.r0029_shared import (
    DIMENSIONS,
    DISJOINT,
    METERS,
    OWNER,
    ROUTE,
    TENANT,
    named,
    paid_for,
    payer_of,
)
from migrations.reporting.views import Column, View

_MONEY: Final = ("lines", "amount", "list_amount", "contracted_amount", "billed_amount", "unlisted")
_USAGE: Final = (
    *("calls", "errors", "unpriced_calls", "unpriced_tokens", "unmetered_calls", "waiting_calls"),
    *(name for name, _told, _said in METERS),
)
_LINE: Final = (
    "1::bigint, amount, coalesce(list_amount, 0), contracted_amount, billed_amount,"
    " CASE WHEN list_amount IS NULL THEN quantity ELSE 0 END"
)
_DAY: Final = "(slot AT TIME ZONE 'UTC')::date"
_MONTH: Final = "date_trunc('month', {} AT TIME ZONE 'UTC')::date"
# Where what waits will be booked: in its slot, or in the first one that is open.
_BOOKED: Final = f"greatest(slot, (SELECT open_from FROM ledgers WHERE tenant_id = {TENANT}))"  # noqa: S608  # a constant


@dataclass(frozen=True, slots=True)
class _Time:
    """The columns that say when, and what each of them is in each kind of rows."""

    columns: tuple[Column, ...]
    of_lines: tuple[str, ...]
    of_late: tuple[str, ...]
    """Of lines that are booked later than they were used."""
    of_waiting: tuple[str, ...]
    sums: str = ""
    """Of which tables the sums of lines are: days, months; empty: of none."""


def _pieces(time: _Time) -> Iterator[str]:
    """Disjoint rows that come to all money and all usage."""
    no_money = ", ".join(f"{'0::bigint' if name == 'lines' else '0'}" for name in _MONEY)
    no_usage = ", ".join("0::bigint" for _name in _USAGE)
    for kind, table, tail in (
        ("charge", "charges", f"currency, {_LINE}, {no_usage}"),
        ("usage", "usage_lines", f"NULL, {no_money}, {_line_of_usage()}"),
    ):
        beyond = ""
        if time.sums:
            yield _summed(kind, time, no_money, no_usage)
            beyond = _beyond(f"{kind}s_summed_to" if kind == "charge" else "usage_summed_to")
        for when, which in (
            (time.of_lines, f"booked_slot IS NULL{beyond}"),
            (time.of_late, "booked_slot IS NOT NULL"),
        ):
            yield (
                f"SELECT {', '.join(when)}, payer_id, route_id, {tail} FROM {table}"  # noqa: S608  # constants
                f" WHERE tenant_id = {TENANT} AND {which}"
            )
    yield (
        f"SELECT {', '.join(time.of_waiting)}, payer_id, route_id, NULL, {no_money},"  # noqa: S608  # constants
        f" {', '.join(_USAGE)} FROM ({_waiting()}) AS waiting"
    )


def _summed(kind: str, time: _Time, no_money: str, no_usage: str) -> str:
    if kind == "charge":
        told = f"currency, {', '.join(_MONEY)}, {no_usage}"
    else:
        usage = ", ".join("0::bigint" if name == "waiting_calls" else name for name in _USAGE)
        told = f"NULL, {no_money}, {usage}"
    return (
        f"SELECT day, payer_id, route_id, {told} FROM {kind}_{time.sums} WHERE tenant_id = {TENANT}"  # noqa: S608  # constants
    )


def _beyond(summed_to: str) -> str:
    # Two bounds, as Postgres takes a range that it does not know for a small one, which this is,
    # and one bound that it does not know for a third of the ledger: it would plan for that.
    return (
        f" AND id > coalesce((SELECT {summed_to} FROM ledgers WHERE tenant_id = {TENANT}), 0)"  # noqa: S608  # constants
        " AND id <= 9223372036854775807"
    )


def _line_of_usage() -> str:
    special = {
        "errors": "CASE WHEN outcome <> 0 THEN calls ELSE 0 END",
        "waiting_calls": "0::bigint",
    }
    return ", ".join(special.get(name, name) for name in _USAGE)


def _waiting() -> str:
    """What cells say more than the ledger has taken of them, as store/ledger/usage_to_come.py."""
    tokens = " + ".join(f"cells.{name}" for name in DISJOINT)
    said = {
        **{name: f"cells.{name}" for name in ("calls", "unmetered_calls")},
        **{name: f"cells.{name}" for name, _told, _said in METERS},
        "unpriced_calls": "coalesce(cells.unpriced_calls, 0)",
        "unpriced_tokens": "coalesce(cells.unpriced_tokens, CASE WHEN"
        f" cells.unpriced_calls > cells.unmetered_calls THEN {tokens} ELSE 0 END)",
    }
    more = {name: f"({value} - taken.{name})::bigint" for name, value in said.items()}
    more["errors"] = f"CASE WHEN cells.outcome <> 0 THEN {more['calls']} ELSE 0 END"
    more["waiting_calls"] = "cells.calls"
    sums = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in said)
    told = ", ".join(f"{more[name]} AS {name}" for name in _USAGE)
    return f"""
        SELECT cells.slot, {payer_of("cells")} AS payer_id, cells.route_id, {told}
        FROM cells {paid_for("cells")} CROSS JOIN LATERAL (
            SELECT {sums} FROM usage_lines AS line
            WHERE line.tenant_id = {TENANT} AND line.slot = cells.slot
            AND line.owner_id = cells.owner_id AND line.route_id = cells.route_id
            AND line.outcome = cells.outcome AND line.band = cells.band
        ) AS taken WHERE cells.tenant_id = {TENANT} AND NOT cells.charged
    """  # noqa: S608  # constants


def _query(time: _Time) -> str:
    when = ", ".join(each.name for each in time.columns)
    keys = f"{when}, payer_id, route_id"
    sums = ", ".join(f"sum({name}) AS {name}" for name in (*_MONEY, *_USAGE))
    names = ", ".join((*_MONEY, *_USAGE))
    every = " UNION ALL ".join(_pieces(time))
    # Usage is of no currency: it stands beside the money of its place, once.
    return f"""
        SELECT {", ".join(f"spent.{each.name}" for each in time.columns)}, {DIMENSIONS},
            spent.currency, {", ".join(_shown())}
        FROM (
            SELECT {keys}, currency, {sums} FROM (
                SELECT {keys}, {names}, coalesce(currency, min(currency)
                    OVER (PARTITION BY {keys})) AS currency
                FROM ({every}) AS every ({keys}, currency, {names})
            ) AS placed GROUP BY {keys}, currency
        ) AS spent {named("spent")}
        WHERE {" OR ".join(f"spent.{name} <> 0" for name in _TELLING)}
    """  # noqa: S608  # constants


_TELLING: Final = (
    *("amount", "list_amount", "contracted_amount", "billed_amount", "calls", "waiting_calls"),
    *(name for name, _told, _said in METERS),
)
"""What is all 0 where a correction left nothing."""

_NO_MONEY: Final = (
    "spent.lines = 0 OR ((spent.calls > 0 AND spent.calls <= spent.unpriced_calls"
    " OR spent.calls = 0 AND spent.unpriced_tokens <> 0) AND spent.amount = 0"
    " AND spent.list_amount = 0 AND spent.contracted_amount = 0 AND spent.billed_amount = 0)"
)
"""No lines; or they were taken back, and what was used is unpriced again: unknown, not free."""


def _shown() -> Iterator[str]:
    for name in ("amount", "list_amount", "contracted_amount", "billed_amount"):
        unknown = f"{_NO_MONEY} OR spent.unlisted <> 0" if name == "list_amount" else _NO_MONEY
        yield f"CASE WHEN {unknown} THEN NULL ELSE spent.{name} END"
    for name in _USAGE[:6]:
        yield f"spent.{name}::bigint"
    yield f"({' + '.join(f'spent.{name}' for name in DISJOINT)})::bigint"
    for name, _told, _said in METERS:
        yield f"spent.{name}::bigint"


_FIGURES: Final = (
    Column(
        "currency",
        "text",
        "Of the costs, as they are booked: nothing is converted. Usage is counted once, beside the"
        " first currency of its place; NULL: nothing there has a price.",
    ),
    Column("cost", "numeric", "Effective, exact: what it cost. NULL: not known, never 0."),
    Column(
        "list_cost",
        "numeric",
        "At list prices; NULL: not known, or a part of it has no list price. A sum over rows is"
        " known only where each row with a cost has one.",
    ),
    Column("contracted_cost", "numeric", "At contracted prices, before commitments."),
    Column("billed_cost", "numeric", "What is on somebody's bill for it."),
    Column("calls", "bigint", "Requests to a model."),
    Column("errors", "bigint", "Calls that did not end well."),
    Column("unpriced_calls", "bigint", "Calls whose cost is not known: they are in no cost."),
    Column("unpriced_tokens", "bigint", "What those used, as far as they said."),
    Column("unmetered_calls", "bigint", "Calls that ended well and did not say what they used."),
    Column("waiting_calls", "bigint", "Calls whose charges are still to be posted, or looked at."),
    Column("tokens", "bigint", "All tokens, in and out: those of the six disjoint kinds."),
    *(Column(told, "bigint", said) for _name, told, said in METERS),
)

_BY_DAY: Final = _Time(
    (Column("day", "date", "When it was used, UTC."),), (_DAY,), (_DAY,), (_DAY,), "days"
)
_BY_MONTH: Final = _Time(
    (Column("month", "date", "When it was used, UTC: the first of the month."),),
    *((_MONTH.format("slot"),),) * 3,
    "months",
)
_BY_BOOKED_MONTH: Final = _Time(
    (Column("month", "date", "In whose books it is, UTC: the first of the month."),),
    (_MONTH.format("slot"),),
    (_MONTH.format("booked_slot"),),
    (_MONTH.format(_BOOKED),),
    "months",
)
_BY_QUARTER_HOUR: Final = _Time(
    (
        Column("slot", "timestamp with time zone", "Quarter hour in which it was used: its start."),
        Column(
            "booked_slot",
            "timestamp with time zone",
            "Quarter hour in whose books it is: slot, or a later one where that was closed.",
        ),
    ),
    ("slot", "slot"),
    ("slot", "booked_slot"),
    ("slot", _BOOKED),
)


def _view(name: str, description: str, time: _Time) -> View:
    columns = (*time.columns, *OWNER, *ROUTE, *_FIGURES)
    return View(name, description, columns, _query(time))


SPEND_VIEWS: Final = (
    _view(
        "spend_by_day",
        "Spend and usage by the day of use (UTC), a row for each payer, what was called, and"
        " currency. From sums of days: of any size in a moment. As GET /v1/spend with timezone=UTC"
        " and period=charge.",
        _BY_DAY,
    ),
    _view(
        "spend_by_month",
        "The same by the month of use (UTC): what October's calls cost, whenever that was known."
        " A closed month moves here when something late is found.",
        _BY_MONTH,
    ),
    _view(
        "booked_by_month",
        "The same by the month in whose books it is (UTC), as statements and spanledger report have"
        " it: what comes late of a closed month is in the first open one. As GET /v1/spend with"
        " period=billing.",
        _BY_BOOKED_MONTH,
    ),
    _view(
        "spend_by_quarter_hour",
        "Spend and usage by quarter hour, from the ledger's lines: for days of other zones, fiscal"
        " periods and short times. Always say a time of slot or booked_slot: all of it is read.",
        _BY_QUARTER_HOUR,
    ),
)
