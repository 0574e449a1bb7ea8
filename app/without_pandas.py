"""Imported first, it keeps pyarrow from loading pandas, which only the jobs use.

pyarrow looks for it once, when it makes its first array: a third of a collector's start, a tenth of
the API's, and 25 to 40 MiB. Whoever imports pandas by name has it all the same.
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
            raise ModuleNotFoundError("it goes without", name=name)
        return None


_absent = _Absent()
sys.meta_path.insert(0, _absent)
import pyarrow as pa  # noqa: E402  # only now

pa.array([0])
sys.meta_path.remove(_absent)
