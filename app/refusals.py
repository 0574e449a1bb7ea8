"""Tells people on the command line why what they said cannot be."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from spend.checked_fields import TermsRefused


@contextmanager
def refusals_told(*conflicts: type[Exception]) -> Iterator[None]:
    """A field that makes no sense is a mistake of usage; ``conflicts`` are with what is there."""
    try:
        yield
    except TermsRefused as refused:
        raise click.UsageError(f"{refused.field}: {refused}") from None
    except UnicodeEncodeError:
        # Bytes of the command line that are no UTF-8.
        raise click.UsageError("a value holds half a character") from None
    except conflicts as conflict:
        raise click.ClickException(str(conflict)) from None
