"""Months as they are asked for and answered."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from api.shapes import instant
from spend.months.month_records import FORMAT
from spend.months.months import LedgerMonth, MonthAct, Warned

Note = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]

_RECORD: Final = "What it was closed with; its text as canonical JSON has the hash: docs/months.md."


class Said(BaseModel):
    """Something that a month waits for, or that has to be accepted."""

    name: str = Field(examples=["unpriced"])
    said: str = Field(description="With its volume, for people.")


class MonthAnswer(BaseModel):
    """A period of the ledger's calendar."""

    name: str = Field(examples=["2026-10"])
    state: str = Field(description="`open`, `soft-closed` or `closed`.")
    from_: str = Field(alias="from", description="UTC, inclusive.")
    to: str = Field(description="UTC, exclusive.")
    timezone: str = Field(description="Of the calendar, as of when it was closed.")
    hash: str | None = Field(description="Of its record, in hex; null: it is not closed.")


class MonthsAnswer(BaseModel):
    """How far the books are closed."""

    months: list[MonthAnswer] = Field(description="That are not open, the first one first.")
    next: MonthAnswer | None = Field(description="The open month; null: none was ever closed.")
    hash: str | None = Field(
        description="Of the last closed month. Keep it elsewhere: it proves all of them."
    )


class ActAnswer(BaseModel):
    """What somebody did with a month."""

    act: str = Field(description="`soft-close`, `reopen` or `close`.")
    at: str
    by: str
    note: str | None
    accepted: list[Said] = Field(description="Warnings, as they were then.")


class MonthWithHistory(MonthAnswer):
    """A month, what was done with it, and what there is to say of it."""

    acts: list[ActAnswer]
    waits: list[Said] = Field(
        description="What the jobs are still to settle: until then it cannot be closed."
    )
    warnings: list[Said] = Field(description="What has to be accepted, for it to be closed.")
    record: dict[str, Any] | None = Field(
        description=_RECORD, json_schema_extra={"properties": {"format": {"const": FORMAT}}}
    )


class SoftClose(BaseModel):
    """A month to soft-close."""

    model_config = ConfigDict(extra="forbid")

    note: Note | None = Field(None, description="What there is to say of it.")


class Close(SoftClose):
    """A month to close."""

    accept: list[str] = Field(
        default_factory=list,
        max_length=20,
        description="Names of warnings that are accepted, or `all`.",
        examples=[["unpriced"]],
    )
    dry_run: bool = Field(False, description="Answer what would be recorded, and close nothing.")


class Reopen(BaseModel):
    """A month to open again."""

    model_config = ConfigDict(extra="forbid")

    reason: Note


def month_fields(month: LedgerMonth) -> dict[str, Any]:
    """The fields of MonthAnswer."""
    return {
        "name": month.name,
        "state": month.state,
        "from": instant(month.period.start),
        "to": instant(month.period.end),
        "timezone": month.calendar.zone.key,
        "hash": month.hash,
    }


def with_history(
    month: LedgerMonth,
    acts: Sequence[MonthAct],
    *,
    waits: Sequence[Warned] = (),
    warnings: Sequence[Warned] = (),
    record: str | None = None,
) -> MonthWithHistory:
    """A month as it is answered alone; ``record``: None for its own."""
    text = record or month.record
    return MonthWithHistory.model_validate(
        month_fields(month)
        | {
            "acts": [
                {
                    "act": act.act,
                    "at": instant(act.at),
                    "by": act.by,
                    "note": act.note,
                    "accepted": _said(act.accepted),
                }
                for act in acts
            ],
            "waits": _said(waits),
            "warnings": _said(warnings),
            "record": None if text is None else json.loads(text),
        }
    )


def _said(warned: Sequence[Warned]) -> list[dict[str, str]]:
    return [{"name": each.name, "said": each.said} for each in warned]
