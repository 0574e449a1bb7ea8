"""The local spool: what is put here is on the disk before anybody is told so.

One thread writes, with one fsync for all that waits. Another one (``drain.py``) takes out, oldest
first. What could not be written is refused; what was acknowledged is never dropped.
"""

import os
from collections.abc import Callable, Container, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Condition, Lock, Thread
from typing import Final

import structlog

from collector.errors import Busy
from collector.spool.folders import (
    QUARANTINE,
    Folder,
    adopt,
    read_name,
    segments_in,
    size_of,
    take_folder,
)
from collector.spool.frames import HEAD_BYTES, Damage, Record
from collector.spool.segments import Growing, Segment, found, set_aside
from collector.spool.state import MIB, NEARLY, Bounds, State

log = structlog.get_logger(__name__)

_SEGMENT: Final = 16 * MIB
"""Bytes after which the next one begins: it can be removed once all in it is stored."""
_PROBE: Final = MIB
"""Bytes that a disk which was full must take before it is trusted again."""


class Full(Busy):
    """The spool takes nothing more for now. The sender should come again."""


@dataclass(slots=True)
class _Waiting:
    """A record that is yet to be written."""

    body: Callable[[], bytes]
    spans: int
    done: Future[None] = field(default_factory=Future)


class Spool:
    """One process's part of a spool. ``put`` and ``state`` may be called by any thread."""

    def __init__(self, root: Path, bounds: Bounds, clock: Callable[[], datetime]) -> None:
        self._root = root
        self.bounds = bounds
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._changed = Condition()
        self._stopping = False
        # Held while files are written or change hands.
        self._files = Lock()
        self._folder: Folder | None = None
        self._growing: Growing | None = None
        self._sealed: list[Segment] = []
        self._broken: str | None = None
        self._size_of_others = 0
        # The size at which something found no room: until it falls there is none for its like.
        self._no_room_at: int | None = None
        self._quarantined = 0
        self._told_nearly_full = False
        self._thread = Thread(target=self._run, name="spool", daemon=True)

    def start(self) -> None:
        """Take a folder, with what its last owner left, and begin."""
        with self._files:
            self._mend()
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Write what waits, and end. False if that took longer than ``timeout`` seconds."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout)
        if self._thread.is_alive():
            return False
        with self._files:
            self._leave()
        return True

    def put(self, body: Callable[[], bytes], spans: int) -> Future[None]:
        """Queue a record; the future is there once it is on the disk, or Full is.

        ``body`` is called in the thread that writes. Raises Full.
        """
        why = self._broken or self._why_full(*self._size_and_oldest())
        if why:
            raise Full(why)
        waiting = _Waiting(body, spans)
        with self._changed:
            if self._stopping:
                raise Full("shutting down")
            self._waiting.append(waiting)
            self._changed.notify_all()
        return waiting.done

    def state(self) -> State:
        """What waits, and whether more is taken."""
        segments = self._segments()
        size, oldest_at = self._size_and_oldest()
        return State(
            refuses=self._broken or self._why_full(size, oldest_at) or self._why_no_room(size),
            size=size,
            nearly_full=self._is_nearly(size, oldest_at),
            records=sum(segment.records for segment in segments),
            spans=sum(segment.spans for segment in segments),
            oldest_at=oldest_at,
            quarantined=self._quarantined,
        )

    def oldest(self, but: Container[str] = ()) -> Segment | None:
        """The segment to take out next, but those of some names; it is written no more."""
        with self._files:
            segments = [segment for segment in self._segments() if segment.path.name not in but]
            oldest = min(segments, key=lambda it: it.path.name, default=None)
            if self._growing and oldest is self._growing.segment:
                self._seal()
            return oldest if oldest in self._sealed else None

    def remove(self, segment: Segment) -> None:
        """Everything in it is safe elsewhere."""
        with self._files:
            # It is not ours any more where somebody removed our folder.
            with suppress(ValueError):
                self._sealed.remove(segment)
            with suppress(FileNotFoundError):
                segment.path.unlink()

    def set_aside(self, segment: Segment, piece: Record | Damage, why: str) -> None:
        """Keep what cannot be stored for people to look at. Raises OSError."""
        kept = set_aside(self._root, segment, piece)
        self._quarantined += 1
        log.error("a record of the spool was put in quarantine", why=why, kept=str(kept))

    @property
    def root(self) -> Path:
        """Where all processes' folders are."""
        return self._root

    @property
    def folder(self) -> Path | None:
        """Ours, while there is one."""
        return self._folder.path if self._folder else None

    def tend(self, inherited: Callable[[Path, int], None] = lambda _folder, _spans: None) -> int:
        """Mend what broke, take over from processes that are gone, and measure.

        To be called every second or so. ``inherited`` is told whose folder it was, and how many
        spans were in it. Gives how many segments were taken over.
        """
        count = 0
        with self._files:
            if self._broken or not self._folder or not self._folder.is_there():
                self._mend()
            if self._folder:
                try:
                    for folder, paths in adopt(self._root, self._folder):
                        segments = [found(path) for path in paths]
                        self._sealed += segments
                        inherited(folder, sum(segment.spans for segment in segments))
                        count += len(segments)
                    self._measure_others()
                    self._quarantined = len(segments_in(self._root / QUARANTINE))
                except OSError as error:
                    self._break(error)
        if count:
            log.warning("taking over what a process that is gone left", segments=count)
        self._tell_nearly_full()
        return count

    def _segments(self) -> list[Segment]:
        growing = self._growing
        return [*self._sealed, *([growing.segment] if growing else [])]

    def _size_and_oldest(self) -> tuple[int, datetime | None]:
        segments = self._segments()
        names = [segment.path.name for segment in segments if segment.size]
        oldest_at = read_name(min(names)).made_at if names else None
        return self._size_of_others + sum(segment.size for segment in segments), oldest_at

    def _measure_others(self) -> None:
        """They share our bound, and write as we do. Raises OSError."""
        if self._folder:
            self._size_of_others = size_of(self._root, but=self._folder.path)

    def _why_no_room(self, size: int) -> str | None:
        """Something small may still be taken then; but who asks is not to send more here."""
        if self._no_room_at is None or size < self._no_room_at:
            return None
        return f"the spool is full: with {size:,} bytes in it there was no room for what came"

    def _why_full(self, size: int, oldest_at: datetime | None) -> str | None:
        if size >= self.bounds.size:
            return f"the spool is full: it holds {size:,} bytes"
        if oldest_at and self._clock() - oldest_at > self.bounds.age:
            return f"the spool takes nothing more: its oldest record is of {oldest_at:%F %T} UTC"
        return None

    def _is_nearly(self, size: int, oldest_at: datetime | None) -> bool:
        old = oldest_at is not None and self._clock() - oldest_at > NEARLY * self.bounds.age
        return old or size > NEARLY * self.bounds.size

    def _tell_nearly_full(self) -> None:
        state = self.state()
        if state.nearly_full and not self._told_nearly_full:
            log.warning("the spool is nearly full", bytes=state.size, most=self.bounds.size)
        self._told_nearly_full = state.nearly_full

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                group, self._waiting = self._waiting, []
            if group:
                # From here on nobody can take it back.
                self._write([it for it in group if it.done.set_running_or_notify_cancel()])
            elif self._stopping:
                return

    def _write(self, group: Sequence[_Waiting]) -> None:
        fitting: list[_Waiting] = []
        records: list[tuple[bytes, int]] = []
        with suppress(OSError):  # whoever tends us will say so
            self._measure_others()
        size, _ = self._size_and_oldest()
        room = self.bounds.size - size
        for waiting in group:
            try:
                body = waiting.body()
            except Exception as error:  # noqa: BLE001 - this one's trouble, and not the others'
                waiting.done.set_exception(error)
                continue
            needed = HEAD_BYTES + len(body)
            if needed > room:
                if needed <= self.bounds.size:
                    self._no_room_at = self.bounds.size - room
                waiting.done.set_exception(Full("the spool is full"))
                continue
            room -= needed
            fitting.append(waiting)
            records.append((body, waiting.spans))
        try:
            with self._files:
                self._append(records)
        except Exception as error:  # whoever waits is told, whatever it was
            if not isinstance(error, OSError):
                log.exception("the spool failed")
            for waiting in fitting:
                waiting.done.set_exception(Full(f"the spool cannot be written: {error}"))
        else:
            for waiting in fitting:
                waiting.done.set_result(None)

    def _append(self, records: Sequence[tuple[bytes, int]]) -> None:
        if not records:
            return
        if not self._folder:
            raise OSError(self._broken)
        try:
            if self._growing is None:
                self._growing = Growing(self._folder.path, self._clock())
            self._growing.append(records)
        except OSError as error:
            self._break(error)
            raise
        if self._growing.segment.size >= _SEGMENT:
            self._seal()

    def _seal(self) -> None:
        if self._growing is None:
            return
        segment, self._growing = self._growing.close(), None
        if segment.size:
            self._sealed.append(segment)
        else:
            with suppress(OSError):
                segment.path.unlink()

    def _break(self, error: OSError) -> None:
        """Write no more to anything that is open: what failed once is not trusted again."""
        if not self._broken:
            log.error("the spool cannot be written", error=str(error))
        self._broken = f"the spool cannot be written: {error}"
        self._seal()

    def _mend(self) -> None:
        """Begin again where it can be written again."""
        try:
            if self._folder and not self._folder.is_there():
                self._leave()
            if not self._folder:
                self._folder = take_folder(self._root)
                self._sealed += [found(path) for path in segments_in(self._folder.path)]
            _try_disk(self._folder.path / "probe")
        except OSError as error:
            self._break(error)
        else:
            if self._broken:
                log.info("the spool can be written again")
            self._broken = None

    def _leave(self) -> None:
        """Let go of the folder: whoever comes next takes what is in it."""
        self._seal()
        if self._folder and self._sealed and not self._folder.is_there():
            log.error("somebody removed the spool", segments=len(self._sealed))
        self._sealed.clear()
        if self._folder:
            os.close(self._folder.lock)
            self._folder = None


def _try_disk(path: Path) -> None:
    """Raises OSError where a file cannot be written."""
    try:
        with path.open("wb") as file:
            file.write(bytes(_PROBE))
            file.flush()
            os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)
