"""Finds what people ask for by its name or its number."""

from collections.abc import Callable, Collection
from typing import TypeVar

Thing = TypeVar("Thing")


def called(
    asked: str, there: Collection[Thing], told: Callable[[Thing], tuple[str, int | None]]
) -> Thing | None:
    """What has that name, or, where nothing has, that id; None: nothing is called so.

    ``told`` answers the name and the id of each.
    """
    said = asked.strip()
    names = {told(each)[0]: each for each in there}
    ids = {str(told(each)[1]): each for each in there}
    return names.get(said, ids.get(said))
