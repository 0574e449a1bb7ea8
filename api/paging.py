"""Pages by key: a page ends at a call, and the next begins after it, whatever has come since."""

import base64
import binascii
import json
from datetime import datetime
from uuid import UUID

from api.grouping import wrong
from spend.ids import signed, unsigned
from store.call_pages import Position


def cursor_of(position: Position) -> str:
    """A position as text for an address. Nobody but us should read it."""
    said = [position.start_at.isoformat(), position.trace_id.hex, unsigned(position.span_id)]
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


def position_of(cursor: str) -> Position:
    """The position that a cursor stands for; Problem 422 if it is none of ours."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        start_at, trace_id, span_id = json.loads(text)
        moment = datetime.fromisoformat(start_at)
        if moment.tzinfo is None or len(span_id) != 16:  # noqa: PLR2004 - hex digits of 8 bytes
            raise ValueError(cursor)  # noqa: TRY301 - one way to refuse a cursor
        return Position(moment, UUID(hex=trace_id), signed(span_id))
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise wrong("cursor", "this is not the cursor of a page: take `next` as it is") from None
