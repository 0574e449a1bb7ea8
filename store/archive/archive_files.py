"""Writes a day's files, and reads them back to see that they hold what the tables do."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import text
from sqlalchemy.orm import Session

from spend.trace_filters import TraceFilter
from store import columns
from store.archive.archive_places import ArchiveAway, Opened
from store.archive.archive_shape import SHAPES, SIGHTINGS, SUMMED, rows_of, sums_of

MANIFEST: Final = "manifest.json"
ROWS_AT_ONCE: Final = 32_768
"""Of a row group: what is read to find one call."""
_BYTES_AT_ONCE: Final = 4 * 2**20

Going = Callable[[int], None]
"""Told now and then how many rows are done; raises where the work is to end."""


class NotWhatIsThere(Exception):  # noqa: N818 - it names what is the case
    """A file does not hold what the table does, or is not the one that was written."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What a table has of a day, in numbers."""

    rows: int
    sums: dict[str, int]
    """Of columns of SUMMED."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of an archived day."""

    name: str
    rows: int
    bytes: int
    sha256: str
    sums: dict[str, int]


@dataclass(frozen=True, slots=True)
class WrittenDay:
    """An archived day as it was written, and read back."""

    folder: str
    files: tuple[WrittenFile, ...]
    sha256: str
    """Of the manifest."""
    traces: bytes
    """``spend.trace_filters``."""

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(each.bytes for each in self.files)


def folder_of(tenant: int, day: date) -> str:
    """Where a day is beneath its place, as tools that read partitioned data expect it."""
    return f"tenant={tenant}/day={day.isoformat()}"


def take_time(session: Session) -> None:
    """Lets statements of this transaction take as long as they need; Ctrl-C and a kill end them."""
    session.execute(text("SET LOCAL statement_timeout = 0"))


def counted(session: Session, tenant: int, day: date, file: str) -> Sums:
    """What the table of a file has of a day."""
    rows, *sums = session.execute(sums_of(file, tenant, day)).one()
    return Sums(rows, {name: int(each) for name, each in zip(SUMMED, sums, strict=True)})


def write_day(
    session: Session, tenant: int, day: date, at: Opened, going: Going, sighted: int
) -> WrittenDay:
    """Writes a day's files anew, then its manifest; each is there whole or not at all.

    The session sees one moment throughout (``Database.read``). Raises NotWhatIsThere where what is
    read back is not what the tables hold, or these have not ``sighted`` rows of it: then nothing
    was written, as somebody else may have dropped it. And what ``opened`` turns into ArchiveAway.
    """
    take_time(session)
    # Without statistics of a new day it would take a batch's details apart for each of its rows.
    session.execute(text("SET LOCAL enable_nestloop = off"))
    session.execute(text("SET LOCAL work_mem = '64MB'"))
    wanted = {name: counted(session, tenant, day, name) for name in SHAPES}
    if wanted[SIGHTINGS].rows != sighted:
        raise NotWhatIsThere(f"{day} had {sighted:,} sightings, now {wanted[SIGHTINGS].rows:,}")
    folder = folder_of(tenant, day)
    if at.is_local:
        at.files.create_dir(at.path(folder), recursive=True)
    traces = TraceFilter(wanted[SIGHTINGS].rows)
    files = []
    for name, expected in wanted.items():
        rows = columns.stream(
            session, rows_of(name, tenant, day), SHAPES[name], at_once=ROWS_AT_ONCE
        )
        _write(at, at.path(folder, name), SHAPES[name], _noted(rows, name, traces, going))
        files.append(read_back(at, folder, name, expected))
    manifest = _manifest(tenant, day, files)
    _put(at, at.path(folder, MANIFEST), manifest)
    return WrittenDay(
        folder=folder,
        files=tuple(files),
        sha256=hashlib.sha256(manifest).hexdigest(),
        traces=traces.written(),
    )


def read_back(at: Opened, folder: str, name: str, expected: Sums) -> WrittenFile:
    """A file as it is at its place. Raises NotWhatIsThere."""
    path = at.path(folder, name)
    size, digest = digest_of(at, path)
    found = _sums(at, path)
    if found != expected:
        raise NotWhatIsThere(f"{path} has {found.rows:,} rows, the table {expected.rows:,}")
    return WrittenFile(name, found.rows, size, digest, found.sums)


def digest_of(at: Opened, path: str) -> tuple[int, str]:
    """How long a file is, and its SHA-256."""
    digest, size = hashlib.sha256(), 0
    with at.files.open_input_stream(path) as stream:
        while part := stream.read(_BYTES_AT_ONCE):
            digest.update(part)
            size += len(part)
    return size, digest.hexdigest()


def _noted(
    rows: Iterator[pa.Table], name: str, traces: TraceFilter, going: Going
) -> Iterator[pa.Table]:
    done = 0
    for part in rows:
        if name == SIGHTINGS:
            distinct = pc.unique(part.column("trace_id")).to_pylist()
            traces.add(bytes.fromhex("".join(distinct)))
        yield part
        done += part.num_rows
        going(done)


def _write(at: Opened, path: str, shape: pa.Schema, rows: Iterator[pa.Table]) -> None:
    """Onto a local disk under another name first; a bucket shows what it has whole anyway."""
    to = f"{path}.part" if at.is_local else path
    order = [pq.SortingColumn(shape.get_field_index(name)) for name in ("trace_id", "span_id")]
    with pq.ParquetWriter(
        to,
        shape,
        filesystem=at.files,
        compression="zstd",
        sorting_columns=order,
        write_page_checksum=True,
        # Ids never repeat enough; a dictionary of them is thrown away at each row group.
        use_dictionary=[name for name in shape.names if not name.endswith("_id")],
    ) as writer:
        for part in rows:
            writer.write_table(part, row_group_size=ROWS_AT_ONCE)
    if at.is_local:
        _settle(to, path)


def _put(at: Opened, path: str, content: bytes) -> None:
    to = f"{path}.part" if at.is_local else path
    with at.files.open_output_stream(to) as stream:
        stream.write(content)
    if at.is_local:
        _settle(to, path)


def _settle(written: str, path: str) -> None:
    """Gives a file its name once it is on the disk, and the name too."""
    with Path(written).open("rb+") as file:
        os.fsync(file.fileno())
    Path(written).replace(path)
    # Of a new day its folder, too, has a name to be kept.
    for each in list(Path(path).parents)[:3]:
        folder = os.open(each, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _sums(at: Opened, path: str) -> Sums:
    rows, sums = 0, dict.fromkeys(SUMMED, 0)
    with at.files.open_input_file(path) as source:
        file = pq.ParquetFile(source)
        for part in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=list(SUMMED)):
            rows += part.num_rows
            for name in SUMMED:
                sums[name] += pc.sum(part.column(name)).as_py() or 0
    return Sums(rows, sums)


def _manifest(tenant: int, day: date, files: list[WrittenFile]) -> bytes:
    said: dict[str, Any] = {
        "tenant": tenant,
        "day": day.isoformat(),
        "written_by": f"spanledger {version('spanledger')}",
        "files": [asdict(each) for each in files],
    }
    return json.dumps(said, indent=2, sort_keys=True).encode() + b"\n"


def manifest_of(at: Opened, folder: str, sha256: str) -> dict[str, Any]:
    """A day's manifest. Raises ArchiveAway where it is not the one that was written."""
    with at.files.open_input_stream(at.path(folder, MANIFEST)) as stream:
        content: bytes = stream.read()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ArchiveAway(f"{at.path(folder, MANIFEST)} is not what was written")
    found: dict[str, Any] = json.loads(content)
    return found
