"""A name that only one may have at a time: of two who give it at once, the later is told so."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg.errors
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session


@contextmanager
def unless_taken(session: Session, index: str, taken: Exception) -> Iterator[None]:
    """Raises ``taken`` where what is written meets that unique index; the transaction goes on."""
    try:
        # A savepoint: else the caller's transaction would be lost with it.
        with session.begin_nested():
            yield
    except IntegrityError as error:
        cause = error.orig
        met = isinstance(cause, psycopg.errors.UniqueViolation) and cause.diag.constraint_name
        if met == index:
            raise taken from None
        raise
