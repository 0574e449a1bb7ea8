"""One shape of log lines for everything in a process, ours and the libraries'.

Lines for people when stderr is a terminal, JSON objects otherwise. Logs say what happened, in a
few words and with values beside them; they never hold content of calls, keys or URLs of webhooks.
What looks like a secret all the same, in a library's line or in what failed, is taken out.
"""

import logging
import re
import sys
from typing import TextIO

import structlog
import structlog.typing

from spend.secret_shapes import without_secrets

# What tells more than anybody wants to know at the level where the rest is worth reading.
_QUIET = ("alembic", "grpc", "httpx2", "uvicorn.access", "uvicorn.error")
# A warning of its is a tick skipped because the job still runs, under no name that people know.
# How late a job is, `spanledger jobs list`, the doctor and the metrics tell.
_QUIETER = ("apscheduler",)


# Controls, of C1 too; ends of lines and of paragraphs; signs that turn a line around.
_MOVES = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_OF_LINES = ("exception", "stack")


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at the moment: whoever redirects it gets the lines."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # read for each line, never set
        return sys.stderr


def configure_logs(process: str) -> None:
    """Sends every log line of this process to stderr, signed with the process's name."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        # Here, where a library's record still is at hand.
        structlog.stdlib.add_logger_name,
        _signing(process),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        # A line a batch costs nothing, and tests can listen.
        cache_logger_on_first_use=False,
    )
    ending = _for_people() if sys.stderr.isatty() else _for_machines()
    handler = _Stderr()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # The plain traceback: the pretty ones print local variables, and with them secrets.
                structlog.processors.format_exc_info,
                _scrubbed,
                *ending,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.captureWarnings(capture=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _QUIETER:
        logging.getLogger(name).setLevel(logging.ERROR)


def _signing(process: str) -> structlog.typing.Processor:
    def sign(
        _logger: object, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        event.setdefault("process", process)
        return event

    return sign


def _for_people() -> list[structlog.typing.Processor]:
    return [
        _unnamed,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        _one_line,
        structlog.dev.ConsoleRenderer(
            exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
        ),
    ]


def _for_machines() -> list[structlog.typing.Processor]:
    return [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(),
    ]


def _scrubbed(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Without what looks like a secret, whoever wrote it."""
    return {name: _without(value) for name, value in event.items()}


def _without(value: object) -> object:
    match value:
        case str():
            return without_secrets(value)
        case None | bool() | int() | float():
            return value
        case list() | tuple() | set() | frozenset():
            return [_without(each) for each in value]
        case dict():
            return {str(name): _without(each) for name, each in value.items()}
        case _:
            return without_secrets(str(value))


def _one_line(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """With what moves a terminal's cursor, or begins a line, written out: names come from outside.

    A traceback keeps its lines. JSON writes all of them out by itself.
    """
    for name, value in event.items():
        if isinstance(value, str):
            lines = value.split("\n") if name in _OF_LINES else [value]
            event[name] = "\n".join(_MOVES.sub(_written_out, line) for line in lines)
    return event


def _written_out(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _unnamed(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Without the module's name: people have the process's."""
    del event["logger"]
    return event
