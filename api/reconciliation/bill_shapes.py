"""Bills as the API takes and shows them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.shapes import instant
from spend.money import plain
from spend.reconciliation.bill_formats import AUTO, FORMATS
from spend.reconciliation.bills import Bill, BillLine, BillSum


class Imported(BaseModel):
    """What is said of a bill whose file is the body."""

    model_config = ConfigDict(extra="forbid")

    format: str = Field(AUTO, description=f"One of {', '.join((AUTO, *FORMATS))}.")
    provider: str | None = Field(
        None, max_length=300, description="Whose bill it is, where the file does not say."
    )
    account: str | None = Field(None, max_length=300, description="Who is billed, likewise.")
    invoice: str | None = Field(None, max_length=300, description="The invoice's number, likewise.")
    month: str | None = Field(None, description="The month it has to be of, such as 2026-10.")
    total: str | None = Field(None, max_length=40, description="What the invoice comes to.")
    file_name: str = Field("POST /v1/bills", min_length=1, max_length=300)
    replace: bool = Field(
        default=False, description="It is a newer version of a bill that is there."
    )
    dry_run: bool = Field(default=False, description="Only say what would be taken.")


class Listed(BaseModel):
    """Bills that are asked for."""

    model_config = ConfigDict(extra="forbid")

    before: int | None = Field(None, ge=1, description="Older than this id: `next` of a page.")
    limit: int = Field(100, ge=1, le=1000, description="At most so many.")


class LinesAsked(BaseModel):
    """Lines of a bill that are asked for."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(0, ge=0, description="Behind this line: `next` of a page.")
    limit: int = Field(100, ge=1, le=1000, description="At most so many.")


class BillAnswer(BaseModel):
    """What an issuer invoices an account for a period."""

    id: int | None = Field(description="null: not taken, it was a dry run.")
    version: int
    provider: str = Field(description="Who issued it.")
    account: str | None
    invoice: str | None
    from_: str = Field(alias="from", description="The period that it is for.")
    to: str
    currency: str
    total: str = Field(description="The sum of its lines.", examples=["1234.56"])
    lines: int
    format: str
    file_name: str
    sha256: str
    imported_at: str
    imported_by: str | None
    superseded_at: str | None = Field(description="null: it holds.")


class BillSumAnswer(BaseModel):
    """Lines of a bill that say the same kind, model and meter."""

    kind: str = Field(description="usage, credit, tax, fee or adjustment.")
    model: str | None = Field(
        description="As on the bill. null: it does not say, or we cannot tell."
    )
    meter: str | None
    lines: int
    quantity: str | None
    amount: str


class BillWithSums(BillAnswer):
    """A bill, and what it is made of."""

    sums: list[BillSumAnswer]


class BillsAnswer(BaseModel):
    """The last one imported first, superseded ones too."""

    bills: list[BillAnswer]
    next: int | None = Field(description="Ask again with it as `before`; null: that was all.")


class TakenAnswer(BaseModel):
    """The bills that a file was."""

    bills: list[BillAnswer]


class BillLineAnswer(BaseModel):
    """A line of a bill, as its issuer wrote it."""

    line: int
    from_: str = Field(alias="from")
    to: str
    account: str | None = Field(description="Project, workspace, subscription or linked account.")
    provider: str = Field(description="Who served it.")
    model: str | None
    meter: str | None
    region: str | None
    service_tier: str | None
    description: str | None
    kind: str
    quantity: str | None
    unit: str | None
    unit_price: str | None = Field(description="For 1,000,000 of the unit.")
    amount: str
    currency: str
    raw: dict[str, Any] = Field(description="The row that it was read from. Numbers are text.")


class BillLinesAnswer(BaseModel):
    """In the order of the file."""

    lines: list[BillLineAnswer]
    next: int | None = Field(description="Ask again with it as `after`; null: that was all.")


def bill_answer(bill: Bill) -> BillAnswer:
    """A bill as it is shown in a list."""
    return BillAnswer(**_told(bill))


def with_sums(bill: Bill, sums: list[BillSum]) -> BillWithSums:
    """A bill as it is shown by itself."""
    return BillWithSums(
        **_told(bill),
        sums=[
            BillSumAnswer(
                kind=each.kind,
                model=each.model,
                meter=each.meter,
                lines=each.lines,
                quantity=None if each.quantity is None else plain(each.quantity),
                amount=plain(each.amount),
            )
            for each in sums
        ],
    )


def line_answer(line: BillLine) -> BillLineAnswer:
    """A line of a bill."""
    numbers = {name: getattr(line, name) for name in ("quantity", "unit_price", "amount")}
    facts = (
        *("line", "account", "provider", "model", "meter", "region", "service_tier"),
        *("description", "kind", "unit", "currency", "raw"),
    )
    said: dict[str, Any] = {name: getattr(line, name) for name in facts}
    said |= {name: None if value is None else plain(value) for name, value in numbers.items()}
    said |= {"from": instant(line.starts), "to": instant(line.ends)}
    return BillLineAnswer(**said)


def _told(bill: Bill) -> dict[str, Any]:
    facts = (
        *("version", "provider", "account", "invoice", "currency", "lines", "format"),
        *("file_name", "sha256", "imported_by"),
    )
    return {
        "id": bill.id or None,
        "from": instant(bill.starts),
        "to": instant(bill.ends),
        "total": plain(bill.total),
        **{name: instant(getattr(bill, name)) for name in ("imported_at", "superseded_at")},
        **{name: getattr(bill, name) for name in facts},
    }
