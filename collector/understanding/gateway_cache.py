"""Answers out of a gateway's own cache: the tokens that they repeat were charged before.

The provider was not asked. So the call used nothing, which is known and no gap: its meters are 0.
What its answer had once cost in tokens is kept in the details, as ``saved_input`` and
``saved_output``.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from collector.understanding.counts import Counts, Flags
from collector.understanding.details import Details
from collector.understanding.otlp import Ints
from collector.understanding.usage import Usage
from spend.meters import INPUTS

_ALWAYS_TOLD: Final = ("input", "output")


@dataclass(frozen=True, slots=True)
class Saved:
    """What each span's answer did not cost; 0 where a provider was asked."""

    input: Ints
    output: Ints

    def describe(self, details: Details) -> None:
        """Adds the counts, where there are any."""
        details.whole("saved_input", self.input, self.input > 0)
        details.whole("saved_output", self.output, self.output > 0)


def not_charged(usage: Usage, cached: Flags) -> tuple[Usage, Saved]:
    """The usage with that of ``cached`` spans set to 0, and what was set."""
    if not cached.any():
        nothing = np.zeros(len(cached), dtype=np.int64)
        return usage, Saved(nothing, nothing)
    prompt = np.sum([usage.meters[name].or_zero for name in INPUTS], axis=0)
    saved = Saved(np.where(cached, prompt, 0), np.where(cached, usage.meters["output"].or_zero, 0))
    meters = {
        name: Counts(
            np.where(cached, 0, counts.value),
            counts.told | cached if name in _ALWAYS_TOLD else counts.told,
        )
        for name, counts in usage.meters.items()
    }
    return replace(usage, meters=meters), saved
