"""Commitments as they are said to the API, and as the API shows them with their use."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from api.shapes import instant
from api.written_shapes import ONE_OR_MORE, Written
from spend.commitments.commitment_files import BETWEEN
from spend.commitments.commitment_use import Forecast, Use
from spend.commitments.commitments import FOREVER, Commitment
from spend.money import plain


class NewCommitment(Written):
    """Credits bought in advance, or a minimum of spend that was promised."""

    name: StrictStr = Field(
        description="One of a name at a time.", examples=["openai credits 2026-10"]
    )
    kind: StrictStr = Field(description="`prepaid` or `minimum`.", examples=["prepaid"])
    amount: StrictStr = Field(
        description="Usage that it covers: the credits' face value, or the minimum of each"
        " period. A decimal string.",
        examples=["10000.00"],
    )
    paid: StrictStr | None = Field(
        None, description="What credits cost; at most their face value, which is the default."
    )
    currency: StrictStr = Field(description="ISO 4217: of what it covers.", examples=["USD"])
    provider: StrictStr = Field(
        description=f"Whose usage counts, as in `/v1/spend`. Several with `{BETWEEN}` between"
        " them; `*` at the end fits any continuation. So with the next two.",
        examples=["openai"],
    )
    model: StrictStr | None = Field(None, description="Default: every model.", examples=["gpt-5*"])
    region: StrictStr | None = Field(None, description="Default: every region.")
    period: StrictStr | None = Field(
        None,
        description="Of a minimum: `month` (default), `quarter` or `year`, counted in UTC from"
        " `valid_from` on, or `term`: all of the time.",
    )
    valid_from: StrictStr = Field(
        description="A date or time on a quarter hour, UTC unless it has an offset. Inclusive."
        " Of months, quarters and years: the first moment of a month.",
        examples=["2026-10-01"],
    )
    valid_to: StrictStr | None = Field(
        None, description="Likewise; exclusive: when credits expire. Default: never."
    )
    reference: StrictStr | None = Field(
        None, description="The document that says so, or where it can be read."
    )


NewCommitments = Annotated[
    list[NewCommitment],
    ONE_OR_MORE,
    Field(min_length=1, description="One commitment, or a list of them: all are taken, or none."),
]


class ForecastAnswer(BaseModel):
    """What to expect if usage goes on as it did since the period began."""

    eligible: str | None = Field(description="By the period's end; null: it has no end.")
    used: str | None
    unused: str | None = Field(description="Paid, and will cover nothing: what is at risk.")
    runs_out: str | None = Field(description="When it is used up; null: not in this period.")


class PeriodAnswer(BaseModel):
    """One period of a commitment."""

    model_config = ConfigDict(populate_by_name=True)

    from_: str = Field(alias="from")
    to: str | None = Field(description="Exclusive; null: no end.")
    over: bool
    committed: str = Field(description="Usage that it covers, at its contracted cost.")
    paid: str
    eligible: str = Field(
        description="Contracted cost of the usage that fits, but for what commitments before"
        " this one cover."
    )
    used: str = Field(description="Of that, what this one covers.")
    left: str = Field(description="committed - used")
    effective: str = Field(description="What was paid for what is used.")
    unused: str | None = Field(
        description="What was paid and covered nothing; null while the period runs."
    )
    utilisation: str = Field(description="used / committed")
    coverage: str | None = Field(description="used / eligible; null without usage.")
    effective_rate: str | None = Field(
        description="What covered usage of 1.00 costs; once the period is over, with its waste."
    )
    ran_out: str | None = Field(description="The quarter hour in which it was used up.")
    forecast: ForecastAnswer | None = Field(
        description="Null when it is over, and before a day and a twentieth of it are."
    )


class CommitmentAnswer(BaseModel):
    """A commitment as it was agreed."""

    id: int
    name: str
    kind: str
    amount: str
    paid: str
    currency: str
    match: dict[str, list[str]] = Field(description="Which usage counts: dimension to patterns.")
    period: str
    valid_from: str
    valid_to: str | None
    source: str
    reference: str | None
    entered_by: str | None = Field(description="Who entered it; null: not told.")
    known_from: str
    known_to: str | None = Field(
        description="When it was withdrawn or replaced; its lines were taken back."
    )


class CommitmentNow(CommitmentAnswer):
    """A commitment with its latest period."""

    latest: PeriodAnswer | None = Field(
        description="The last period that has begun; null: none has."
    )


class CommitmentWithPeriods(CommitmentAnswer):
    """A commitment with all of its periods."""

    periods: list[PeriodAnswer] = Field(
        description="Those that have begun, the first first; none of one that holds no more."
    )


class CommitmentsAnswer(BaseModel):
    """In the order in which they cover usage that fits several."""

    commitments: list[CommitmentNow]


def _fields(commitment: Commitment) -> dict[str, Any]:
    return {
        "id": commitment.id,
        "name": commitment.name,
        "kind": commitment.kind,
        "amount": plain(commitment.amount),
        "paid": plain(commitment.paid),
        "currency": commitment.currency,
        "match": {name: list(patterns) for name, patterns in commitment.match.items()},
        "period": commitment.period,
        "valid_from": str(instant(commitment.valid_from)),
        "valid_to": instant(commitment.valid_to),
        "source": commitment.source,
        "reference": commitment.reference,
        "entered_by": commitment.entered_by,
        "known_from": str(instant(commitment.known_from)),
        "known_to": instant(commitment.known_to),
    }


def with_latest(commitment: Commitment, uses: Sequence[Use], now: datetime) -> CommitmentNow:
    """``uses``: of its latest period, or nothing."""
    latest = _period(uses[-1], now) if uses else None
    return CommitmentNow(**_fields(commitment), latest=latest)


def with_periods(
    commitment: Commitment, uses: Sequence[Use], now: datetime
) -> CommitmentWithPeriods:
    """``uses``: of all its periods."""
    return CommitmentWithPeriods(
        **_fields(commitment), periods=[_period(each, now) for each in uses]
    )


def _period(use: Use, now: datetime) -> PeriodAnswer:
    unused, coverage, rate = use.unused(now), use.coverage, use.effective_rate(now)
    forecast = use.forecast(now)
    return PeriodAnswer(
        **{"from": str(instant(use.period.start))},
        to=None if use.period.end == FOREVER else instant(use.period.end),
        over=use.is_over(now),
        committed=plain(use.commitment.amount),
        paid=plain(use.commitment.paid),
        eligible=plain(use.eligible),
        used=plain(use.used),
        left=plain(use.left),
        effective=plain(use.effective),
        unused=None if unused is None else plain(unused),
        utilisation=plain(use.utilisation),
        coverage=None if coverage is None else plain(coverage),
        effective_rate=None if rate is None else plain(rate),
        ran_out=instant(use.ran_out),
        forecast=None if forecast is None else _forecast(forecast),
    )


def _forecast(forecast: Forecast) -> ForecastAnswer:
    return ForecastAnswer(
        runs_out=instant(forecast.runs_out),
        **{
            name: None if value is None else plain(value)
            for name, value in (
                ("eligible", forecast.eligible),
                ("used", forecast.used),
                ("unused", forecast.unused),
            )
        },
    )
