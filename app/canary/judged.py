"""Holds what the API tells of the calls against what was sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.canary import promises
from app.canary.calls import Call, Calls, Span
from app.canary.doors import Doors
from app.canary.promises import Proof
from app.canary.report import Listed, Sum, decimal, explained
from spend.canary import MODEL, OPERATION, PROVIDER, SERVICE, TEAM
from spend.moments import moment_text
from spend.prices.feeds import CURRENCY

_COUNTED = {"input": "input_tokens", "cache_read": "cache_read_tokens", "output": "output_tokens"}
"""Meter -> what the API calls it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the API tells of a call, under the ids of each of its spans."""

    call: Call
    answers: tuple[Mapping[str, Any], ...]
    """An empty one where there is no such call."""
    missing: tuple[str, ...] = field(default=())
    """Of those: which, and why."""

    @property
    def first(self) -> Mapping[str, Any]:
        """Under the ids of the first."""
        return self.answers[0]


def ask_for(doors: Doors, calls: Sequence[Call]) -> list[Told]:
    """What the API tells of these calls."""
    found = []
    for call in calls:
        asked = [(span, *explained(doors, span)) for span in call.spans]
        missing = [f"{_ids(span)}: {reply.said}" for span, reply, answer in asked if not answer]
        found.append(Told(call, tuple(answer for *_, answer in asked), tuple(missing)))
    return found


def judge_calls(proof: Proof, calls: Calls, told: Sequence[Told]) -> None:
    """Whether the calls are there as they were sent; of one that is not, no more is asked."""
    missing = [each for one in told for each in one.missing]
    there = [one for one in told if not one.missing]
    count = f"{len(there)} calls"
    faults = [*missing, *(fault for one in there for fault in _unlike(one))]
    proof.tell(promises.STORED, faults, count)
    if not there:
        for name in (promises.OWNER, promises.USAGE, promises.PRICED, promises.SENT_TWICE):
            proof.not_reached(name, "no call was found")
        return
    proof.tell(promises.OWNER, [each for one in there for each in _owner(one)], TEAM)
    proof.tell(promises.USAGE, [each for one in there for each in _usage(one)], count)
    cost = sum((one.call.cost for one in there), Decimal(0))
    faults = [each for one in there for each in _cost(one)]
    proof.tell(promises.PRICED, faults, f"{cost:f} {CURRENCY}")
    for one in there:
        if one.call is calls.twice:
            seen = len(one.first["sightings"])
            faults = [] if seen == 1 else [f"it was seen {seen} times"]
            proof.tell(promises.SENT_TWICE, faults, "1 sighting")
    proof.not_reached(promises.SENT_TWICE, "that call was not found")


def _unlike(one: Told) -> Iterator[str]:
    told, said = one.call.spans[0], one.first
    route = said["route"]
    for what, sent, seen in (
        ("started_at", moment_text(told.start), said["started_at"]),
        ("outcome", "ok", said["outcome"]),
        ("provider", PROVIDER, route["provider"]),
        ("model", MODEL, route["model"]),
        ("operation", OPERATION, route["operation"]),
    ):
        if sent != seen:
            yield f"{_ids(told)}: {what} is {seen}, and not {sent}"


def _owner(one: Told) -> Iterator[str]:
    owner = one.first["owner"]
    for what, sent in (("team", TEAM), ("service", SERVICE)):
        if owner[what] != sent:
            yield f"{what} is {owner[what]}, and not {sent}"


def _usage(one: Told) -> Iterator[str]:
    sent = {_COUNTED[meter]: count for meter, count in one.call.tokens.items()}
    if one.first["usage"] != sent:
        yield f"{_shown(one.first['usage'])}, and not {_shown(sent)}"


def _cost(one: Told) -> Iterator[str]:
    cost, how = decimal(one.first["cost"]), one.first["how"]
    if cost is None:
        yield str(how["reason"])
    elif (cost, one.first["currency"]) != (one.call.cost, CURRENCY):
        by = {line["price"]["source"] for line in how["lines"]} or {how["reason"]}
        yield (
            f"{cost:f} {one.first['currency']}, and not {one.call.cost:f} {CURRENCY}"
            f" (by: {', '.join(sorted(by))})"
        )


def judge_two_sightings(proof: Proof, one: Told) -> None:
    """Whether what two told of a call is one, under the ids of either. Only once it is settled."""
    if one.missing:
        proof.not_reached(promises.TWO_SIGHTINGS, "; ".join(one.missing))
        return
    calls = {(each["trace_id"], each["span_id"]) for each in one.answers}
    sightings = one.first["sightings"]
    faults = []
    if len(calls) != 1:
        faults.append(f"it is {len(calls)} calls")
    elif len(sightings) != len(one.call.spans):
        faults.append(f"it has {len(sightings)} sightings, and not {len(one.call.spans)}")
    why = ", ".join(sorted({str(each["evidence"]) for each in sightings}))
    proof.tell(promises.TWO_SIGHTINGS, faults, f"1 call ({why})")


def judge_report(
    proof: Proof, ours: Sequence[Told], before: Listed, now: Listed, total: Sum
) -> None:
    """Whether the sum of a window is that of the calls in it, ours among them.

    The calls are read from what was heard, the sum from the ledger. Another canary may send
    meanwhile: of what it sent the report may have any part. Where a call of ours was not found,
    nobody knows what the sum should be.
    """
    if any(one.missing for one in ours):
        proof.not_reached(promises.REPORTED, "not every call was found")
        return
    mine = {(each["trace_id"], each["span_id"]) for one in ours for each in one.answers}
    others = now.costs.keys() - before.costs.keys() - mine
    faults = []
    if lacking := mine - now.costs.keys():
        faults.append(f"{len(lacking)} of its calls are in no list")
    if now.entries != len(now.costs):
        faults.append("a call is listed twice")
    most, least = len(now.costs), len(now.costs) - len(others)
    if not least <= total.calls <= most:
        faults.append(f"{total.calls} calls are counted, of {_between(least, most)}")
    if total.unpriced:
        faults.append(f"{total.unpriced} calls have no price")
    if total.waiting:
        faults.append(f"the cost of {total.waiting} calls is still to come")
    all_of = sum((cost or Decimal(0) for cost in now.costs.values()), Decimal(0))
    of_others = sum((now.costs[each] or Decimal(0) for each in others), Decimal(0))
    cost = total.cost or Decimal(0)
    if not all_of - of_others <= cost <= all_of:
        faults.append(f"they cost {cost:f}, and not {_between(all_of - of_others, all_of)}")
    seen = f"{total.calls} calls, {cost:f} {CURRENCY}"
    proof.tell(promises.REPORTED, faults, seen)


def _between(least: Decimal | int, most: Decimal | int) -> str:
    return f"{most:f}" if least == most else f"{least:f} to {most:f}"


def _ids(told: Span) -> str:
    return f"{told.trace_id}/{told.span_id}"


def _shown(usage: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in usage.items()) or "nothing"
