"""What the shapes of things have in common that can be written in a file, or sent."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, BeforeValidator, ConfigDict

from spend.written_rows import Row


class Written(BaseModel):
    """One of them, with the names of a file's columns."""

    model_config = ConfigDict(extra="forbid")

    def as_row(self, place: int) -> Row:
        """As a row of a file; ``place`` is its number in the request."""
        return Row(place, self.model_dump(exclude_none=True))


def _listed(body: object) -> object:
    return [body] if isinstance(body, Mapping) else body


ONE_OR_MORE: Final = BeforeValidator(_listed)
"""One alone stands for a list of it."""
