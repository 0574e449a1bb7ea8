"""Pages of a provider's cost API: buckets of time, each with what its usage cost."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spend.reconciliation.bill_reading import Written, refused


def rows_of_buckets(
    pages: Sequence[Mapping[str, Any]],
    *,
    times: tuple[str, str],
    of_page: Sequence[str] = (),
) -> Iterator[Written]:
    """Each result, with the times of its bucket and what its page says of all, counted from 1.

    ``times`` are the bucket's fields of its beginning and its end. Raises RowsRefusedError for
    what is no bucket, and for a bucket that is there twice.
    """
    seen: set[str] = set()
    place = 0
    for page in pages:
        said = {name: page.get(name) for name in of_page}
        for bucket in page["data"]:
            if not isinstance(bucket, dict) or not isinstance(bucket.get("results"), list):
                raise refused(place + 1, "data", "must be buckets with results")
            start = str(bucket.get(times[0]))
            if start in seen:
                raise refused(place + 1, times[0], "the bucket of this day is there twice")
            seen.add(start)
            said |= {name: bucket.get(name) for name in times}
            for result in bucket["results"]:
                place += 1
                if not isinstance(result, dict):
                    raise refused(place, "results", "must be objects")
                yield Written(place, result | said)
