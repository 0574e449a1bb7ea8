"""A bill with one fault, in each provider's format: the whole difference is where it belongs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from bill_writers import Used
from billed_month import FORMATS, NOW, USED, in_month, put_bill, put_ledger, put_rate

from spend.reconciliation.variance import BUCKETS
from store.bills import reconcile
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

OCTOBER, NOVEMBER = "2026-10", "2026-11"
FIFTH, LAST, FIRST = date(2026, 10, 5), date(2026, 10, 31), date(2026, 11, 1)
Fault = Callable[[Used], Sequence[Used]]


def dearer(each: Used) -> list[Used]:
    return [replace(each, amount=each.amount * Decimal("1.25")) if each.model == "small" else each]


def more(each: Used) -> list[Used]:
    at = each.day == FIFTH and each.model == "big"
    return [replace(each, quantity=each.quantity * 3, amount=each.amount * 3) if at else each]


def less(each: Used) -> list[Used]:
    return [] if each.day == FIFTH and each.model == "big" else [each]


def unheard(each: Used) -> list[Used]:
    return [each, replace(each, model="other", amount=each.amount / 8)]


def unheard_account(each: Used) -> list[Used]:
    return [each, replace(each, account="two", quantity=each.quantity // 4, amount=each.amount / 4)]


def late(each: Used) -> list[Used]:
    if each.day != FIFTH or each.model != "big":
        return [each]
    half = replace(each, quantity=each.quantity // 2, amount=each.amount / 2)
    return [half, replace(half, day=date(2026, 10, 6))]


def past_the_end(each: Used) -> list[Used]:
    if each.day != LAST:
        return [each]
    half = replace(each, quantity=each.quantity // 2, amount=each.amount / 2)
    return [half, replace(half, day=FIRST)]


def credited(each: Used) -> list[Used]:
    if each.day != FIFTH or each.meter != "input" or each.model != "big":
        return [each]
    return [each, replace(each, kind="credit", quantity=0, amount=-each.amount / 10)]


FAULTS: dict[str, tuple[Fault, str]] = {
    "none": (lambda each: [each], ""),
    "price": (dearer, "price"),
    "more": (more, "more"),
    "less": (less, "less"),
    "unheard model": (unheard, "scope"),
    "unheard account": (unheard_account, "scope"),
    "a lag over a day": (late, "timing"),
    "a lag over the month's end": (past_the_end, "timing"),
    "credit": (credited, "credits"),
    "fx": (lambda each: [each], "fx"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_bill_with_one_fault_differs_by_that_alone(name: str, database: Database) -> None:
    form = FORMATS[name]
    with database.write() as session:
        put_ledger(session, form)
        put_rate(session)
        for fault, (make, bucket) in FAULTS.items():
            tried = session.begin_nested()
            said = [line for each in USED for line in make(each)]
            ask = {"currency": "EUR", "rate": Decimal("0.93")} if bucket == "fx" else {}
            compared = [put_bill(session, form, in_month(said, OCTOBER), OCTOBER, **ask)]
            if bucket == "timing":
                november = in_month(said, NOVEMBER)
                compared.append(put_bill(session, form, november, NOVEMBER, **ask))
            for bill in compared:
                found = reconcile.of_bill(session, TENANT, bill, now=NOW)
                where = (name, fault, found.variance)
                variance = found.variance
                assert variance.billed + found.other_services == bill.total, where
                assert variance.buckets.total == variance.difference, where
                others = {each: getattr(variance.buckets, each) for each in BUCKETS}
                told = others.pop(bucket, Decimal(0))
                assert not any(others.values()), where
                assert told == variance.difference, where
                if bill is compared[0]:
                    expected = bool(bucket) and fault != "a lag over a day"
                    assert bool(told) is expected, where
            tried.rollback()
