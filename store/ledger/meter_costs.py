"""Answers what each meter cost: the lines of the ledger added up by what they are for."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import ColumnElement, case, func
from sqlalchemy.orm import Session

from store.breakdowns.dimensions import Question
from store.breakdowns.grouping import Part, added_up
from store.ledger.ledger import CORRECTION, ORIGINAL
from store.tables.ledger import charges

_ON_USE: Final[ColumnElement[bool]] = charges.c.kind.in_((ORIGINAL, CORRECTION))


@dataclass(frozen=True, slots=True)
class MeterCost:
    """What was charged for one meter, in one currency."""

    meter: str
    """As a charge names it: of usage, or of a pool's or a commitment's lines."""
    currency: str
    quantity: int
    """Units: tokens, requests, images, …"""
    amount: Decimal
    """Effective, exact."""


def meter_costs(session: Session, question: Question, tenant: int) -> list[MeterCost]:
    """What the question's calls cost, by meter and currency, dearest first; nothing is converted.

    The question has no ``group_by``. Meters that add up to nothing are left out.
    """
    part = Part(
        charges,
        {
            "amount": func.sum(charges.c.amount),
            # What is put from one team to another was not used again.
            "quantity": func.sum(case((_ON_USE, charges.c.quantity), else_=0)),
        },
    )
    found = [
        MeterCost(row.meter, row.currency, int(row.quantity or 0), row.amount)
        for _key, row in added_up(session, question, tenant, (part,), also_by=("meter", "currency"))
    ]
    return sorted(
        (each for each in found if each.amount or each.quantity),
        key=lambda each: (-each.amount, each.meter, each.currency),
    )
