"""Imported first, it keeps pyarrow from loading pandas, which only the jobs use.

pyarrow looks for it when it makes its first array: a third of a collector's start, and 40 MiB.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Absent(MetaPathFinder):
    """Says that there is no pandas, as on a machine that has none."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "pandas":
            raise ModuleNotFoundError("a collector goes without", name=name)
        return None


sys.meta_path.insert(0, _Absent())
