"""Draws the chart that belongs to a budget's notice."""

from jobs.context import JobContext
from spend.notices import Notice


def picture_of(context: JobContext, notice: Notice) -> bytes | None:  # noqa: ARG001  # to come
    """A PNG, or None where the notice is of no budget."""
    return None
