"""Numbers in paths of pages: ``/budgets/{budget_id:number}``.

Starlette's own ``int`` takes any count of digits, and fails with Python's limit of 4,300.
"""

from typing import ClassVar, Final

from starlette.convertors import Convertor, register_url_convertor

NAME: Final = "number"


class PathNumber(Convertor[int]):
    """At most the digits of a bigint: what has more is no page."""

    regex: ClassVar[str] = "[0-9]{1,19}"

    def convert(self, value: str) -> int:
        """The number that stands in a path."""
        return int(value)

    def to_string(self, value: int) -> str:
        """As it stands in a path."""
        return str(value)


def known_in_paths() -> None:
    """Lets paths of routes say ``:number``."""
    register_url_convertor(NAME, PathNumber())
