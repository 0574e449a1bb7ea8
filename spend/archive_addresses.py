"""Where an archive may be, as people write it: an absolute path, a bucket that speaks S3, or none.

``s3://bucket/prefix?region=…&endpoint_override=…``. Credentials are never part of it.
"""

import os
from typing import Final
from urllib.parse import parse_qsl, urlsplit

NONE: Final = "none"
"""Said instead of a place: what is dropped is gone."""
OPTIONS: Final = ("region", "endpoint_override", "scheme")
_FORMS: Final = "write none, an absolute path, or s3://bucket/prefix?region=…"


def checked(place: str) -> str:
    """A place as it is kept. Raises ValueError, whose text repeats nothing that may be secret."""
    if place == NONE:
        return place
    if "://" not in place:
        folder = os.path.expanduser(place)  # noqa: PTH111 - a Path would lose what is no path
        if not os.path.isabs(folder):  # noqa: PTH117 - as above
            raise ValueError(_FORMS)
        return os.path.normpath(folder)
    parts = urlsplit(place)
    if parts.scheme != "s3" or not parts.netloc:
        raise ValueError(_FORMS)
    if "@" in parts.netloc:
        raise ValueError("no keys in it: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY hold them")
    asked = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    if parts.fragment or set(asked) - set(OPTIONS) or len(set(asked)) < len(asked):
        raise ValueError(f"after ? there may be {', '.join(OPTIONS)}, each once")
    return place
