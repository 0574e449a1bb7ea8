"""Pages by key: one ends at a call or a line, the next begins after it, whatever has come since."""

import base64
import binascii
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from api.grouping import wrong
from spend.ids import signed, unsigned
from store.calls.call_pages import Position
from store.spending import charge_pages


def cursor_of(position: Position) -> str:
    """A position as text for an address. Nobody but us should read it."""
    return _written(
        position.start_at.isoformat(), position.trace_id.hex, unsigned(position.span_id)
    )


def position_of(cursor: str) -> Position:
    """The position that a cursor stands for; Problem 422 if it is none of ours."""
    with _refused():
        start_at, trace_id, span_id = _read(cursor)
        if len(span_id) != 16:  # noqa: PLR2004 - hex digits of 8 bytes
            raise ValueError(cursor)
        return Position(_moment(start_at), UUID(hex=trace_id), signed(span_id))


def charge_cursor_of(position: charge_pages.Position) -> str:
    """Likewise, of a line of the ledger."""
    return _written(position.slot.isoformat(), str(position.id))


def charge_position_of(cursor: str) -> charge_pages.Position:
    """The line that a cursor stands for; Problem 422 if it is none of ours."""
    with _refused():
        slot, number = _read(cursor)
        if not 0 < int(number) < 2**63:
            raise ValueError(cursor)
        return charge_pages.Position(_moment(slot), int(number))


def _written(*said: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


def _read(cursor: str) -> list[str]:
    said = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
        raise ValueError(cursor)
    return said


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except (ValueError, binascii.Error):
        raise wrong("cursor", "this is not the cursor of a page: take `next` as it is") from None
