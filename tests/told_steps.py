"""The steps of a document that is followed at a terminal: what is typed, shown, opened, pressed.

A fenced block says what it is behind its language, where no reader sees it:

    bash terminal=2      typed there
    text output          what the terminal shows that was typed in last: these lines, in this order,
                         others between them; … is anything
    python file=PATH     that file, to the letter
    bash aside           nobody types it here

and so do comments: <!-- page ADDRESS: words | words -->, where ADDRESS may be ``printed``, the last
one that a terminal showed, and <!-- press Ctrl-C in terminal 1 -->.
"""

import re
from dataclasses import dataclass
from typing import Final

_STEP: Final = re.compile(
    r"^```(?P<language>\w*) ?(?P<info>[^\n]*)\n(?P<text>.*?)^```$"
    r"|^<!-- page (?P<page>\S+): (?P<words>[^\n]*) -->$"
    r"|^<!-- press Ctrl-C in terminal (?P<pressed>\d) -->$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Typed:
    terminal: str
    commands: str


@dataclass(frozen=True)
class Shown:
    lines: list[str]

    def missing_in(self, text: str) -> str | None:
        """The first line that does not come; None: all are there."""
        at = 0
        for line in self.lines:
            words = [re.escape(word).replace("…", ".*?") for word in line.split()]
            if not words or line.strip() == "…":
                continue
            told = r"[^\S\n]+".join(words)
            found = re.compile(rf"^[^\S\n]*{told}[^\S\n]*$", re.MULTILINE).search(text, at)
            if found is None:
                return line
            at = found.end()
        return None


@dataclass(frozen=True)
class Opened:
    address: str
    words: list[str]


@dataclass(frozen=True)
class Pressed:
    terminal: str


@dataclass(frozen=True)
class File:
    path: str
    text: str


Step = Typed | Shown | Opened | Pressed | File


def steps(document: str) -> list[Step]:
    """Those of a document, in order. A block that does not say what it is, is a mistake."""
    return [step for found in _STEP.finditer(document) if (step := _step(found))]


def _step(found: re.Match[str]) -> Step | None:
    if page := found["page"]:
        return Opened(page, found["words"].split(" | "))
    if found["pressed"]:
        return Pressed(found["pressed"])
    said, text = f"{found['language']} {found['info']}", found["text"]
    if typed := re.fullmatch(r"bash terminal=(\d)", said):
        return Typed(typed[1], text)
    if said == "text output":
        return Shown(text.splitlines())
    if path := re.fullmatch(r"\w+ file=(\S+)", said):
        return File(path[1], text)
    assert re.fullmatch(r"\w+ aside", said), f"nobody knows what to do with: ```{said}"
    return None
