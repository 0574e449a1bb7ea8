"""Parameters of questions: a period in a time zone, filters by dimension, and a grouping.

Everything is checked here, and what is wrong is named, so that the store may trust a Question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.auth import Caller, of_their_team
from api.instants import DATE, INSTANT, check_year
from api.problems import Problem
from spend import zones
from spend.periods import Period, day_start, local_day
from spend.slots import is_slot_start
from store.breakdowns.dimensions import DIMENSIONS, Question, named_period
from store.breakdowns.grouping import MOST_ROWS

MOST_DAYS: Final = 400
MOST_VALUES: Final = 200

# No NUL: Postgres has no such text.
Name = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")]
Names = Annotated[list[Name], Field(default_factory=list, max_length=MOST_VALUES)]
Deployment = Literal["", "api", "hosted-open", "self-hosted"]


class PeriodAsked(BaseModel):
    """The time that a question is about."""

    model_config = ConfigDict(extra="forbid")

    from_: str | None = Field(
        None,
        alias="from",
        description="First moment: a date (its local midnight) or an RFC 3339 instant on a quarter"
        " hour. Default: the first of the month.",
        examples=["2026-10-01"],
    )
    to: str | None = Field(
        None,
        description="End, exclusive, written likewise. Default: the end of today. At most"
        f" {MOST_DAYS} days after `from`.",
        examples=["2026-11-01"],
    )
    timezone: str | None = Field(
        None,
        description="The IANA time zone that dates, days and months are in. Default: the server's"
        " setting.",
        examples=["Europe/Berlin"],
    )


class FiltersAsked(PeriodAsked):
    """Which rows a question is about.

    Each may be repeated: any of its values is let through. An empty one (`feature=`) stands for
    rows that have none.
    """

    day: Names = Field(description="Local days, such as `2026-10-31`.")
    month: Names = Field(description="Local months, such as `2026-10`.")
    team: Names = Field(description="`unallocated`: nobody's; `idle`: capacity that nobody used.")
    project: Names
    service: Names
    environment: Names
    feature: Names
    customer: Names
    provider: Names = Field(description="Who bills.")
    model: Names = Field(description="The model that answered, or answers to the name asked for.")
    request_model: Names = Field(
        description="The model asked for: successes and failures of one model stand together."
    )
    operation: Names = Field(description="`chat`, `embeddings`, …")
    deployment: Annotated[list[Deployment], Field(default_factory=list, max_length=MOST_VALUES)]
    region: Names


class GroupedAsked(FiltersAsked):
    """A question whose answer has a row for each group."""

    group_by: Annotated[list[str], Field(default_factory=list, max_length=MOST_VALUES)] = Field(
        description="Dimensions, with commas between them: any of " + ", ".join(DIMENSIONS) + ".",
        examples=["team,provider,model"],
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was checked, and its bounds as they were asked for."""

    question: Question
    start: str
    end: str


def checked(
    asked: PeriodAsked,
    *,
    default_zone: ZoneInfo,
    now: datetime,
    caller: Caller,
    on_slots: bool = True,
) -> Asked:
    """The question that was asked, seen by ``caller`` at ``now`` (UTC).

    ``on_slots``: it will be answered from rollups, so it can only begin and end where they do.
    Raises Problem: 422 naming the parameter that is wrong, 403 for a team that is not theirs.
    """
    zone = zone_named(asked.timezone) if asked.timezone is not None else default_zone
    end = _bound("to", asked.to, zone) if asked.to is not None else _end_of(now, zone)
    if asked.from_ is not None:
        start = _bound("from", asked.from_, zone)
    else:
        first = local_day(end.moment - timedelta(microseconds=1), zone).replace(day=1)
        start = _Bound(day_start(first, zone), first.isoformat())
    if not start.moment < end.moment:
        raise wrong("to", f"to ({end.text}) is not after from ({start.text})")
    # Two hours of grace: a clock that is put back makes a day longer.
    if end.moment - start.moment > timedelta(days=MOST_DAYS, hours=2):
        raise wrong("to", f"from and to may be {MOST_DAYS} days apart at most")
    if on_slots:
        for name, bound in (("from", start), ("to", end)):
            if not is_slot_start(bound.moment):
                raise wrong(name, f"{bound.text} is not on a quarter hour: ask for one that is")
    question = Question(
        period=Period(start.moment, end.moment),
        zone=zone,
        group_by=_dimensions(asked.group_by) if isinstance(asked, GroupedAsked) else (),
        filters=_filters(asked, zone, caller) if isinstance(asked, FiltersAsked) else {},
    )
    return Asked(question, start.text, end.text)


def wrong(field: str, detail: str) -> Problem:
    """The problem of a parameter that cannot be taken."""
    return Problem(422, "The request is not valid", detail, field=field)


def zone_named(name: str, field: str = "timezone") -> ZoneInfo:
    """A time zone by its IANA name; Problem 422 if there is none."""
    try:
        return zones.zone_named(name)
    except ValueError as unknown:
        raise wrong(field, str(unknown)) from None


@dataclass(frozen=True, slots=True)
class _Bound:
    moment: datetime
    text: str


def _end_of(now: datetime, zone: ZoneInfo) -> _Bound:
    day = local_day(now, zone) + timedelta(days=1)
    return _Bound(day_start(day, zone), day.isoformat())


def _bound(field: str, text: str, zone: ZoneInfo) -> _Bound:
    # A plus sign that was not escaped in a query arrives as a space.
    text = text.replace(" ", "+")
    try:
        if DATE.fullmatch(text):
            day = date.fromisoformat(text)
            check_year(day.year)
            return _Bound(day_start(day, zone), text)
        if INSTANT.fullmatch(text):
            moment = datetime.fromisoformat(text.upper())
            check_year(moment.year)
            moment = moment.astimezone(UTC)
            return _Bound(moment, moment.isoformat().replace("+00:00", "Z"))
    except ValueError as error:
        raise wrong(field, f"{text!r}: {error}") from None
    raise wrong(
        field,
        f"{text[:100]!r} is neither a date (2026-10-01) nor an instant with its offset"
        " (2026-10-01T00:00:00Z)",
    )


def _dimensions(asked: Sequence[str]) -> tuple[str, ...]:
    names = [name.strip() for part in asked if part for name in part.split(",")]
    for name in names:
        if name not in DIMENSIONS:
            known = ", ".join(DIMENSIONS)
            raise wrong("group_by", f"{name[:100]!r} is not a dimension: there are {known}")
    return tuple(dict.fromkeys(names))


def _filters(asked: FiltersAsked, zone: ZoneInfo, caller: Caller) -> dict[str, tuple[str, ...]]:
    values: dict[str, Any] = {name: tuple(getattr(asked, name)) for name in DIMENSIONS}
    for name in ("day", "month"):
        for value in values[name]:
            try:
                if name == "day" and not DATE.fullmatch(value):
                    raise ValueError(value)  # noqa: TRY301 - one way to refuse a value
                check_year(int(value[:4]))
                named_period(name, value, zone)
            except ValueError:
                example = "2026-10-31" if name == "day" else "2026-10"
                raise wrong(name, f"{value[:100]!r} is not a {name} such as {example}") from None
    if caller.team is not None:
        of_their_team(caller, *values["team"])
        values["team"] = (caller.team,)
    return {name: given for name, given in values.items() if given}


def too_many_rows() -> Problem:
    """The problem of an answer that would be too long."""
    detail = f"The answer has more than {MOST_ROWS:,} rows: group by less, or ask for less time."
    return wrong("group_by", detail)
