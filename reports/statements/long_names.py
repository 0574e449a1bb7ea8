"""Names in a narrow column: broken where their parts meet, not in the middle of a word."""

import re
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

_PARTS: Final = re.compile(r"[^-/_.:@ ]*[-/_.:@ ]+|[^-/_.:@ ]+")
_NARROWEST: Final = 12
"""A part longer than this may be cut anywhere."""


@dataclass(frozen=True, slots=True)
class LongName:
    """A name as a cell of a table."""

    name: str
    style: str = ""

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        parts = [cell_len(part) for part in _PARTS.findall(self.name)]
        narrowest = min(max(parts, default=0), _NARROWEST)
        return Measurement(narrowest, cell_len(self.name)).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = [""]
        for part in _PARTS.findall(self.name):
            if lines[-1] and cell_len(lines[-1] + part.rstrip()) > options.max_width:
                lines.append("")
            lines[-1] += part
        yield Text("\n".join(line.rstrip() for line in lines), style=self.style, overflow="fold")
