"""Takes what the spool holds into Postgres, oldest first, the same way as what is heard now.

One chunk is on its way at a time, so live requests hardly notice. A segment is removed once all
in it is committed. It does not matter when we are killed: what is put down again is a duplicate.
A record that Postgres refuses while it takes others goes to quarantine, and the next ones go on.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from threading import Event, Thread
from typing import Final

import structlog

from collector.batches import Unstorable, Writer
from collector.errors import Busy
from collector.spool.codec import NotUnderstood, Spooled, decode
from collector.spool.counts import go_on, inherit, write
from collector.spool.frames import Damage, Record
from collector.spool.segments import Segment
from collector.spool.spool import Spool
from collector.tally import Tally
from store.intake.intake import Account
from store.steps import Steps, untold

log = structlog.get_logger(__name__)

_CHUNK_ROWS: Final = 2_000
"""A part of a transaction: what is heard meanwhile goes with it."""
_CHUNK_RECORDS: Final = 100
_TRIES: Final = 3
_PATIENCE: Final = 40
"""Attempts for a chunk that Postgres is too busy for, while it takes others."""
_TICK: Final = 1.0
_PAUSE: Final = 0.25
"""Seconds between two attempts while Postgres is away."""
_AGAIN: Final = 5.0
"""Seconds until a record that was refused is tried again."""
_PROGRESS: Final = 10.0
"""Seconds between two lines of the log."""


@dataclass(slots=True)
class _Troubled:
    """A piece that could not be put down, though Postgres is there."""

    piece: Record | Damage
    spooled: Spooled | None
    """Where it may yet be put down."""
    why: str
    tries: int = 1
    committed: int = 0
    """Transactions that there had been when it was refused first."""


@dataclass(slots=True)
class _Held:
    """A segment that stays until what is left of it is settled."""

    segment: Segment
    troubled: list[_Troubled] = field(default_factory=list)


class _Stopping(Exception):  # noqa: N818 - what happens, not a mistake
    """We are to end; what is not removed yet will be put down again."""


class Drainer:
    """The thread that empties the spool, and looks after it."""

    def __init__(self, spool: Spool, writer: Writer, tally: Tally, steps: Steps = untold) -> None:
        self._spool = spool
        self._writer = writer
        self._tally = tally
        self._steps = steps
        self._held: dict[str, _Held] = {}
        """By the name of the segment."""
        self._stopping = Event()
        self._tend_at = self._tell_at = self._again_at = 0.0
        self._told_of_records = False
        self._thread = Thread(target=self._run, name="drain", daemon=True)

    def start(self) -> None:
        """Begin, from the counts of whoever had our folder before. The spool has begun."""
        go_on(self._spool, self._tally)
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """End, in the middle of what there is. False if it is not over within ``timeout``."""
        self._stopping.set()
        self._thread.join(timeout)
        write(self._spool, self._tally)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step()
            except _Stopping:
                return
            except Exception:
                # What nobody foresaw must not end the only thread that empties the spool.
                log.exception("the spool could not be drained")
                self._stopping.wait(_AGAIN)

    def _step(self) -> None:
        self._tend()
        self._try_held_again()
        segment = self._spool.oldest(self._held)
        if segment:
            with self._steps("drain", None) as told:
                told.update(records=segment.records, spans=segment.spans)
                self._drain(segment)
        else:
            self._writer.probe()
            self._stopping.wait(_PAUSE)

    def _tend(self) -> None:
        now = time.monotonic()
        if now >= self._tend_at:
            self._tend_at = now + _TICK
            self._spool.tend(partial(inherit, spool=self._spool, tally=self._tally))
            write(self._spool, self._tally)
        if now >= self._tell_at:
            self._tell_at = now + _PROGRESS
            state = self._spool.state()
            if state.records:
                away = self._writer.away
                log.info(
                    "the spool waits for the database" if away else "draining the spool",
                    records_left=state.records,
                    bytes_left=state.size,
                )
            elif self._told_of_records:
                log.info("the spool is drained")
            self._told_of_records = state.records > 0

    def _drain(self, segment: Segment) -> None:
        held = _Held(segment)
        try:
            pieces = segment.read()
        except FileNotFoundError:
            log.error("somebody removed a segment of the spool", segment=str(segment.path))  # noqa: TRY400 - it says it all
            self._spool.remove(segment)
            return
        except OSError as error:
            log.error("a segment of the spool cannot be read", error=str(error))  # noqa: TRY400 - as above
            self._held[segment.path.name] = held
            return
        for chunk in self._chunks(pieces, held):
            self._put_down(chunk, held)
        self._settle(held)

    def _chunks(
        self, pieces: Iterator[Record | Damage], held: _Held
    ) -> Iterator[list[tuple[Record, Spooled]]]:
        """What goes together into a transaction; what cannot is noted as troubled."""
        chunk: list[tuple[Record, Spooled]] = []
        rows = 0
        for piece in pieces:
            if isinstance(piece, Damage):
                held.troubled.append(_Troubled(piece, None, "it is damaged"))
                continue
            try:
                spooled = decode(piece.body)
            except NotUnderstood as error:
                held.troubled.append(_Troubled(piece, None, f"it is not understood: {error}"))
                continue
            chunk.append((piece, spooled))
            rows += spooled.heard.sightings.num_rows
            if rows >= _CHUNK_ROWS or len(chunk) >= _CHUNK_RECORDS:
                yield chunk
                chunk, rows = [], 0
        if chunk:
            yield chunk

    def _put_down(self, chunk: Sequence[tuple[Record, Spooled]], held: _Held) -> None:
        """Put a chunk down, however long Postgres is away. Raises _Stopping."""
        left = list(chunk)
        committed = self._writer.committed
        for attempt in count(1):
            again: list[tuple[Record, Spooled]] = []
            sent = [(record, spooled, self._sent(spooled)) for record, spooled in left]
            for record, spooled, done in sent:
                try:
                    accounts = self._awaited(done)
                except Unstorable as error:
                    held.troubled.append(
                        _Troubled(record, spooled, str(error), committed=self._writer.committed)
                    )
                except Busy:
                    again.append((record, spooled))
                else:
                    self._settled(record, spooled, accounts, held)
            left = again
            self._tend()
            if not left:
                return
            if attempt >= _PATIENCE and self._writer.committed > committed:
                # Others get through: these are tried one by one, and do not hold up the next.
                held.troubled += [
                    _Troubled(*it, "it took too long", committed=self._writer.committed)
                    for it in left
                ]
                return
            if self._stopping.wait(_PAUSE):
                raise _Stopping

    def _sent(self, spooled: Spooled) -> "Future[Sequence[Account]]":
        try:
            heard = replace(spooled.heard, acknowledged=True)
            return self._writer.put(heard, spooled.received_at).accounts
        except Busy:
            raise _Stopping from None

    def _awaited(self, done: "Future[Sequence[Account]]") -> Sequence[Account]:
        while True:
            try:
                return done.result(_PAUSE)
            except NotYet:
                self._tend()
                if self._stopping.is_set():
                    raise _Stopping from None

    def _settled(
        self, record: Record, spooled: Spooled, accounts: Sequence[Account], held: _Held
    ) -> None:
        held.segment.records -= 1
        held.segment.spans -= record.spans
        self._tally.drained(spooled.heard.parts, accounts)

    def _try_held_again(self) -> None:
        now = time.monotonic()
        if now < self._again_at:
            return
        self._again_at = now + _AGAIN
        for held in list(self._held.values()):
            if not held.troubled:
                # It could not be read at all.
                del self._held[held.segment.path.name]
                continue
            for trouble in list(held.troubled):
                self._try_again(trouble, held)
            self._settle(held)

    def _try_again(self, trouble: _Troubled, held: _Held) -> None:
        if trouble.spooled is None or not isinstance(trouble.piece, Record):
            return
        try:
            accounts = self._awaited(self._sent(trouble.spooled))
        except Unstorable as error:
            trouble.tries += 1
            trouble.why = str(error)
        except Busy:
            return
        else:
            held.troubled.remove(trouble)
            self._settled(trouble.piece, trouble.spooled, accounts, held)

    def _settle(self, held: _Held) -> None:
        """Put aside what is hopeless, and remove the segment where nothing else is left."""
        for trouble in list(held.troubled):
            # Where nothing at all can be stored, it is no fault of the record's.
            refused = trouble.tries >= _TRIES and self._writer.committed > trouble.committed
            if trouble.spooled is None or refused:
                with suppress(OSError):
                    self._spool.set_aside(held.segment, trouble.piece, trouble.why)
                    held.troubled.remove(trouble)
        if held.troubled:
            self._held[held.segment.path.name] = held
        else:
            self._held.pop(held.segment.path.name, None)
            self._tally.set_aside(held.segment.spans)
            held.segment.records = held.segment.spans = 0
            # Before: whoever comes after us finds the one or the other.
            write(self._spool, self._tally)
            self._spool.remove(held.segment)
