"""Who asks, and what of the ledger they may see."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever holds the key that a request came with, or anybody, where no keys exist."""

    may_write: bool
    team: str | None = None
    """The only team that it may see; None: all of them."""


def _caller() -> Caller:
    return Caller(may_write=True)


Who = Annotated[Caller, Depends(_caller)]
