"""What is wrong with a list of things that a request said, as a problem."""

from typing import Final

from api.problems import Problem
from spend.written_rows import RowsRefusedError

MOST_TOLD: Final = 20


def rows_refused(what: str, refused: RowsRefusedError, *, single: bool) -> Problem:
    """Problem 422: every reason, and that none is taken. ``single``: it was no list."""
    told = [
        f"{field_of(each.line, each.field, single=single)}: {each.reason}"
        for each in refused.refusals
    ]
    more = [f"and {len(told) - MOST_TOLD} more"] if len(told) > MOST_TOLD else []
    first = refused.refusals[0]
    return Problem(
        422,
        f"{what}: none is taken",
        "; ".join(told[:MOST_TOLD] + more),
        field=field_of(first.line, first.field, single=single),
    )


def field_of(place: int, field: str, *, single: bool) -> str:
    """Where it is in the request, dotted; places of a list count from 0."""
    return field if single else f"{place - 1}.{field}"
