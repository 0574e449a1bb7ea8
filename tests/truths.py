"""What captured scenarios amount to: ``vectors/EMITTER/truth.toml``, one table a scenario."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

VECTORS = Path(__file__).parent / "vectors"


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A scenario's calls, as the model server answered them. Input includes the cache's parts."""

    emitter: str
    dialect: str
    version: str
    """The packages that sent it."""
    how: str
    """``captured`` from the real package, or ``written`` from its source."""
    calls: int
    errors: int
    input: int
    cache_read: int
    cache_write: int
    output: int
    reasoning: int
    cannot_tell: str = ""
    """What is lost at the source, in words."""
    signals: tuple[str, ...] = ("traces",)
    """What is sent of it: traces, logs, metrics."""
    cache_write_1h: int | None = None
    models: Mapping[str, int] = field(default_factory=dict)
    """Model that answered (or was asked for) -> calls. Where empty, it is not checked."""
    providers: Mapping[str, int] = field(default_factory=dict)
    """Provider ("unknown" for none) -> calls."""
    outcomes: Mapping[str, int] = field(default_factory=dict)
    """Outcome in lower case -> calls."""
    streaming: int | None = None
    """Calls known to have streamed."""
    ttft: int | None = None
    """Calls whose time to the first token is known."""

    @property
    def sums(self) -> tuple[int, ...]:
        """Calls, errors, input, cache read, cache write, output, reasoning."""
        prompt = self.input, self.cache_read, self.cache_write
        return self.calls, self.errors, *prompt, self.output, self.reasoning

    @property
    def sorts(self) -> dict[str, object]:
        """What is known beside the sums; None or empty where it is not checked."""
        names = ("models", "providers", "outcomes", "streaming", "ttft", "cache_write_1h")
        return {name: getattr(self, name) for name in names}


def truths() -> dict[str, Truth]:
    """``folder/scenario`` -> truth, for all."""
    found = {}
    for file in sorted(VECTORS.glob("*/truth.toml")):
        told = tomllib.loads(file.read_text(encoding="utf-8"))
        common = {name: value for name, value in told.items() if not isinstance(value, dict)}
        for scenario, values in told.items():
            if isinstance(values, dict):
                told_of = {"signals": ("traces",), **common, **values}
                told_of["signals"] = tuple(told_of["signals"])
                found[f"{file.parent.name}/{scenario}"] = Truth(**told_of)
    return found


TRUTHS = truths()
