"""Where archived days are: a folder of this machine, or a bucket that speaks S3.

A place is written as people set it: an absolute path, or ``s3://bucket/prefix?region=…&
endpoint_override=…``. Credentials are never part of it: pyarrow finds them in the environment, in
the user's AWS files, or asks the machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from pyarrow.fs import (
    AwsStandardS3RetryStrategy,
    FileSystem,
    FileType,
    LocalFileSystem,
    S3FileSystem,
)

_CONNECT_SECONDS: Final = 3
_REQUEST_SECONDS: Final = 20
_TRIES: Final = 3


class ArchiveAway(Exception):  # noqa: N818 - it names what is the case
    """The archive cannot be reached, or lacks what it should hold; the message says which."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A place that can be read and written."""

    place: str
    files: FileSystem
    root: str

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return isinstance(self.files, LocalFileSystem)

    def path(self, *parts: str) -> str:
        """Of what lies beneath it."""
        return "/".join((self.root, *parts))

    def is_there(self, path: str) -> bool:
        """Whether there is such a file."""
        return bool(self.files.get_file_info(path).type == FileType.File)


@contextmanager
def opened(place: str) -> Iterator[Opened]:
    """A place; whatever fails in the block for want of a file or a connection is ArchiveAway."""
    try:
        yield _opened(place)
    except OSError as error:
        raise ArchiveAway(f"the archive at {place}: {_said(error)}") from error


@lru_cache(maxsize=8)
def _opened(place: str) -> Opened:
    # Once a process: a bucket is asked some questions before its first file is.
    if "://" not in place:
        return Opened(place, LocalFileSystem(), place)
    parts = urlsplit(place)
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    bucket = S3FileSystem(
        **options,
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=_REQUEST_SECONDS,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=_TRIES),
        # As a bucket belongs to whoever pays for it.
        allow_bucket_creation=False,
    )
    return Opened(place, bucket, f"{parts.netloc}{parts.path}".rstrip("/"))


def _said(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:300] if lines else type(error).__name__
