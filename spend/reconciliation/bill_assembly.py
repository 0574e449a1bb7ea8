"""Files become bills: each of one issuer, one account, one period and one currency.

A file can hold several, as exports of an organisation do, and a bill can come in several files, as
pages and parts do.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from spend.money import plain, rounded, total
from spend.periods import Month, Period
from spend.reconciliation.bill_formats import PAGED, ReadFile
from spend.reconciliation.bill_reading import ReadLine, month_holding, month_of_utc
from spend.reconciliation.bills import Bill, BillLine
from spend.written_rows import Refusal, RowsRefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What whoever imports a bill says of it."""

    provider: str | None = None
    account: str | None = None
    invoice: str | None = None
    month: Month | None = None
    total: Decimal | None = None
    """What the invoice comes to."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """A bill, not kept yet."""

    bill: Bill
    lines: tuple[BillLine, ...]


class FileRefusedError(ValueError):
    """A file is refused as a whole, and with it all that came with it."""

    def __init__(self, name: str, refused: RowsRefusedError) -> None:
        self.name = name
        self.refused = refused
        super().__init__(f"{name}: {refused}")


@dataclass(frozen=True, slots=True)
class _Part:
    """What a file says of one bill."""

    file: ReadFile
    lines: list[ReadLine]


_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)

_Key = tuple[str, str, str | None, Period]
"""Format, issuer, account, period."""


def assembled(
    files: Sequence[ReadFile], expected: Expected, *, now: datetime, by: str | None
) -> list[Assembled]:
    """The bills that files say. Raises FileRefusedError."""
    bills: dict[_Key, list[_Part]] = defaultdict(list)
    for file in _in_order(files):
        for key, lines in _parts(file, expected).items():
            bills[key].append(_Part(file, lines))
        for line, stated in file.totals.items():
            _check_total(file, line, stated, file.lines)
    if expected.total is not None:
        if len(bills) > 1:
            raise _refused(files[0], 1, "total", f"is of one bill, and these are {len(bills)}")
        every = [read for file in files for read in file.lines]
        _check_total(files[0], 1, expected.total, every)
    made = [_bill(key, parts, expected, now, by) for key, parts in bills.items()]
    for place, each in enumerate(made):
        for other in made[:place]:
            if each.bill.same_as(other.bill):
                file = bills[list(bills)[place]][0].file
                reason = f"is of the same account, period and invoice as {other.bill.file_name}"
                raise _refused(file, 1, "file", reason)
    return made


def _in_order(files: Sequence[ReadFile]) -> list[ReadFile]:
    """Files, each once; pages by time, and none missing at their end."""
    hashes: set[str] = set()
    days: dict[str, set[datetime]] = defaultdict(set)
    for file in files:
        if file.sha256 in hashes:
            raise _refused(file, 1, "file", "is there twice")
        hashes.add(file.sha256)
        if file.format in PAGED:
            its = {read.said.starts for read in file.lines}
            if days[file.format] & its:
                day = min(days[file.format] & its)
                raise _refused(file, 1, "data", f"{day:%Y-%m-%d} is in another file as well")
            days[file.format] |= its
    found = sorted(files, key=lambda file: (file.format, _begins(file)))
    for file, following in zip(found, [*found[1:], None], strict=True):
        if file.goes_on and (following is None or following.format != file.format):
            raise _refused(
                file, 1, "has_more", "is true, and no page follows: the bill is not complete"
            )
    return found


def _begins(file: ReadFile) -> datetime:
    # Other files stay in the order in which they were named.
    return file.lines[0].said.starts if file.format in PAGED else _ALWAYS


def _parts(file: ReadFile, expected: Expected) -> dict[_Key, list[ReadLine]]:
    """The lines of a file, by the bill that they are on."""
    accounts = {read.billed for read in file.lines if read.billed}
    month = month_of_utc(expected.month) if expected.month else None
    unsaid = month_holding(file.lines[0].said.starts) if month is None else month
    found: dict[_Key, list[ReadLine]] = defaultdict(list)
    for read in file.lines:
        issuer = read.issuer or expected.provider or ""
        account = read.billed or (next(iter(accounts)) if len(accounts) == 1 else expected.account)
        if account is None and accounts:
            raise _refused(file, read.said.line, "account", "is missing, and there are several")
        for name, told, wanted in (
            ("provider", issuer, expected.provider),
            ("account", account, expected.account),
            ("invoice", read.invoice, expected.invoice),
        ):
            if wanted is not None and told not in {None, wanted}:
                raise _refused(file, read.said.line, name, f"is {told}, not {wanted}")
        found[file.format, issuer, account, _period(file, read, month, unsaid)].append(read)
    return found


def _period(file: ReadFile, read: ReadLine, month: Period | None, unsaid: Period) -> Period:
    """The period that a line is booked in: as its issuer says, else the month that holds it."""
    if read.period is not None:
        if month is not None and read.period != month:
            raise _refused(
                file, read.said.line, "period", f"{_days(read.period)}, not {_days(month)}"
            )
        return read.period
    if unsaid.start <= read.said.starts and read.said.ends <= unsaid.end:
        return unsaid
    said = Period(read.said.starts, read.said.ends)
    hint = "" if month else ": a bill is of one month"
    raise _refused(file, read.said.line, "period", f"{_days(said)} is not in {_days(unsaid)}{hint}")


def _days(period: Period) -> str:
    return f"{period.start:%Y-%m-%d} to {period.end:%Y-%m-%d}"


def _bill(
    key: _Key, parts: Sequence[_Part], expected: Expected, now: datetime, by: str | None
) -> Assembled:
    format_, issuer, account, period = key
    currency = parts[0].lines[0].said.currency
    invoices: set[str | None] = set()
    lines: list[BillLine] = []
    for part in parts:
        before = lines[-1].line if lines else 0
        for read in part.lines:
            if read.said.currency != currency:
                reason = f"is {read.said.currency}, others are {currency}: a bill has one"
                raise _refused(part.file, read.said.line, "currency", reason)
            invoices.add(read.invoice)
            lines.append(replace(read.said, line=read.said.line + before))
    return Assembled(
        Bill(
            provider=issuer,
            account=account,
            invoice=expected.invoice or (next(iter(invoices)) if len(invoices) == 1 else None),
            starts=period.start,
            ends=period.end,
            currency=currency,
            format=format_,
            file_name=", ".join(part.file.name for part in parts),
            sha256=_together([part.file.sha256 for part in parts]),
            imported_at=now,
            imported_by=by,
            lines=len(lines),
            total=total([each.amount for each in lines]),
        ),
        tuple(lines),
    )


def _together(hashes: Sequence[str]) -> str:
    """The hash of a file, or of several in whichever order."""
    return hashes[0] if len(hashes) == 1 else _sha256("".join(sorted(hashes)))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _check_total(file: ReadFile, line: int, stated: Decimal, lines: Iterable[ReadLine]) -> None:
    """A stated total is exact, or in whole coins."""
    said = [read.said for read in lines]
    exact, currency = total([each.amount for each in said]), said[0].currency
    if stated not in {exact, rounded(exact, currency)}:
        reason = f"is {plain(stated)}, the lines come to {plain(exact)} {currency}"
        raise _refused(file, line, "total", reason)


def _refused(file: ReadFile, line: int, field: str, reason: str) -> FileRefusedError:
    return FileRefusedError(file.name, RowsRefusedError([Refusal(line, field, reason)]))
