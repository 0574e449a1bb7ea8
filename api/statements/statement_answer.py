"""Fills the API's answer from a statement."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from api.prices.rate_shapes import exchanged_answer
from api.shapes import decimal_or_null, instant, totals_of
from api.statements.statement_shapes import StatementAnswer
from spend.money import plain
from spend.owners import IDLE, UNALLOCATED
from spend.periods import local_day
from spend.statements.statement_lines import Figures, no_coins
from spend.statements.statement_parts import Place, by_deployment, by_region
from spend.statements.statements import Statement, TeamPart
from spend.statements.why import PART_NAMES, Why, amounts_of

_NOTHING: Final = plain(Decimal(0))
_OF_COMMITMENT: Final = ("paid", "covered", "used", "wasted")


def statement_answer(found: Statement) -> StatementAnswer:
    """A statement as it is sent."""
    body: dict[str, Any] = {
        "month": found.month.name,
        "compared_with": found.before.name,
        "currency": found.currency,
        "from": local_day(found.month.start, found.zone).isoformat(),
        "to": local_day(found.month.end, found.zone).isoformat(),
        "timezone": found.zone.key,
        "complete_until": instant(found.books.complete_until),
        "team": found.team,
        "state": found.books.state,
        "hash": found.books.hash,
        "as_known_at": instant(found.books.as_known_at),
        "rows": [
            {"team": line.team, "provider": line.provider, "model": line.model, "kind": line.kind}
            | _figures(line.figures)
            for line in found.lines
        ],
        "teams": [_team(part) for part in found.parts],
        "unallocated": _part(found, UNALLOCATED),
        "idle": _part(found, IDLE)
        | {
            "pools": [
                {"pool": pool.name, "cost": plain(pool.cost), "idle": plain(pool.idle)}
                for pool in found.pools
            ]
        },
        "commitments": [
            {"id": each.id, "name": each.name, "currency": each.currency}
            | {name: plain(getattr(each, name)) for name in _OF_COMMITMENT}
            for each in found.commitments
        ],
        "unpriced": _unpriced(found),
        "corrections": _corrections(found),
        "where": _where(found),
        "rates": [exchanged_answer(used).model_dump() for used in found.rates],
        "elsewhere": [
            {"currency": each.currency}
            | {"cost": plain(each.cost), "billed_cost": plain(each.billed_cost)}
            for each in found.elsewhere
        ],
        "total": _figures(found.total) | {"why_amounts": _why(found.why, coins=True)},
    }
    return StatementAnswer.model_validate(body)


def _team(part: TeamPart) -> dict[str, Any]:
    budgets = [
        {
            "id": budget.id,
            "name": budget.name,
            "amount": plain(budget.amount),
            "difference": _coins(budget.difference),
        }
        for budget in part.budgets
    ]
    figures = _figures(part.figures) | {"why_amounts": _why(part.why, coins=True)}
    return {"team": part.team, "budgets": budgets} | figures


def _figures(figures: Figures) -> dict[str, Any]:
    return totals_of(figures.spent) | {
        "amount": _coins(figures.amount),
        "list_amount": _coins(figures.coins.list_cost),
        "contracted_amount": _coins(figures.coins.contracted_cost),
        "billed_amount": _coins(figures.coins.billed_cost),
        "corrections": plain(figures.corrections),
        "last_month": {
            "cost": decimal_or_null(figures.last.cost),
            "amount": _coins(figures.last_amount),
        },
        "difference": _coins(figures.difference),
        "why": _why(figures.why),
    }


def _why(why: Why, *, coins: bool = False) -> dict[str, Any]:
    if coins:
        return {
            part: _coins(amount) for part, amount in zip(PART_NAMES, amounts_of(why), strict=True)
        }
    return {
        # Most parts of a line are nothing.
        part: plain(amount) if amount else _NOTHING
        for part, amount in zip(PART_NAMES, amounts_of(why), strict=True)
    }


def _part(found: Statement, team: str) -> dict[str, Any]:
    part = found.part(team)
    if part is None:
        return {"cost": None, "amount": _coins(no_coins(found.currency))}
    return {
        "cost": decimal_or_null(part.figures.spent.cost),
        "amount": _coins(part.figures.amount),
    }


def _unpriced(found: Statement) -> dict[str, Any]:
    total = found.total.spent
    rows = [
        {
            "team": line.team,
            "provider": line.provider,
            "model": line.model,
            "calls": line.figures.spent.unpriced_calls,
            "tokens": line.figures.spent.unpriced_tokens,
        }
        for line in found.lines
        if line.figures.spent.lacks_price
    ]
    return {"calls": total.unpriced_calls, "tokens": total.unpriced_tokens, "rows": rows}


def _corrections(found: Statement) -> list[dict[str, Any]]:
    return [
        {
            "month": line.month,
            "team": line.team,
            "cost": decimal_or_null(line.spent.cost),
            "amount": _coins(line.amount),
            "calls": line.spent.calls,
            "tokens": line.spent.tokens,
        }
        for line in found.corrected
    ]


def _where(found: Statement) -> dict[str, Any]:
    return {
        "rows": _places(found.places),
        "by_deployment": _places(by_deployment(found.places, found.currency), without="region"),
        "by_region": _places(by_region(found.places, found.currency), without="deployment"),
    }


def _places(places: Sequence[Place], *, without: str = "") -> list[dict[str, Any]]:
    rows = [
        {
            "deployment": place.deployment,
            "region": place.region,
            "cost": decimal_or_null(place.spent.cost),
            "amount": _coins(place.amount),
            "calls": place.spent.calls,
            "tokens": place.spent.tokens,
        }
        for place in places
    ]
    return [{name: value for name, value in row.items() if name != without} for row in rows]


def _coins(amount: Decimal | None) -> str | None:
    """Whole coins as they are: with as many decimals as the currency has."""
    return None if amount is None else f"{amount:f}"
