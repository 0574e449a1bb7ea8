"""Durations as counts in logarithmic buckets, so that percentiles can be merged by adding.

The scheme of DDSketch (Masson, Rim, Lee: "DDSketch", VLDB 2019): bucket i holds values in
(GAMMA^(i-1), GAMMA^i]; answering the bucket's middle is wrong by at most ACCURACY of the value.
Buckets of any cells, in any order, add up to the buckets of their union.

Values are microseconds, integers >= 0. 0 and 1 share bucket 0.
"""

import math
from collections.abc import Mapping
from typing import Final

ACCURACY: Final = 0.0075
"""Relative. The promise is 1 %; the rest is room for a rank between two values."""
GAMMA: Final = (1 + ACCURACY) / (1 - ACCURACY)
LOG_GAMMA: Final = math.log(GAMMA)


def bucket_of(value_us: int) -> int:
    """The bucket of a duration."""
    return 0 if value_us <= 1 else math.ceil(math.log(value_us) / LOG_GAMMA)


def quantile(buckets: Mapping[int, int], q: float) -> float | None:
    """The duration (microseconds) that a share ``q`` of the calls do not exceed; None if no calls.

    Lower nearest rank: the value of the sorted list at index floor(q * (n - 1)). ValueError where
    a count is negative.
    """
    total = sum(buckets.values())
    if total <= 0:
        return None
    rank = math.floor(q * (total - 1))
    seen = 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen > rank:
            return 1.0 if bucket == 0 else 2 * GAMMA**bucket / (GAMMA + 1)
    raise ValueError("bucket counts must not be negative")
