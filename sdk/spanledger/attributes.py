"""Who pays, and what for: names that every span started inside a block carries.

The names travel as OpenTelemetry baggage under ``spanledger.<name>``. So they follow the context
through asyncio tasks, and to other services wherever the application's propagators send baggage.
"""

from __future__ import annotations

import functools
import inspect
import re
from typing import TYPE_CHECKING, Any, Callable, TypeVar, cast

from opentelemetry import baggage, context
from opentelemetry.sdk.trace import SpanProcessor

from spanledger.harmless import harmless, warn_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

PREFIX = "spanledger."
# The only names whose span attribute is not the baggage key itself.
SPAN_ATTRIBUTES = {"spanledger.environment": "deployment.environment.name"}

# Baggage becomes an HTTP header of the application's own requests: a name with a space or a line
# end would break them, and servers refuse headers beyond about 8 KiB.
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
MOST_NAMES = 16
LONGEST_VALUE = 128

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Attribution:
    """A block, or a function, whose spans carry ``names``: what ``attribute`` returns.

    Nested, the inner value wins; at the end the outer ones are back. One Attribution may be entered
    again, also at the same time by several tasks or threads when it decorates a function.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)
        self._entered: list[Token[Context]] = []

    def __enter__(self) -> Attribution:  # noqa: PYI034 - typing.Self is not in Python 3.9
        self._entered.append(context.attach(_with_baggage(self._names)))
        return self

    def __exit__(self, *_: object) -> None:
        if self._entered:
            context.detach(self._entered.pop())

    def __call__(self, function: _Function) -> _Function:
        """Decorate a function or a coroutine function; each call enters a block of its own."""
        names = self._names
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            # Between two items the block would leak into the caller, who runs in the same context.
            warn_once(
                f"generator {function.__qualname__}",
                "spanledger.attribute cannot decorate the generator %s: use `with` inside it",
                function.__qualname__,
            )
            return function
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def attributed_coroutine(*arguments: Any, **named: Any) -> Any:
                with Attribution(names):
                    return await function(*arguments, **named)

            return cast("_Function", attributed_coroutine)

        @functools.wraps(function)
        def attributed(*arguments: Any, **named: Any) -> Any:
            with Attribution(names):
                return function(*arguments, **named)

        return cast("_Function", attributed)


@harmless(otherwise=lambda: Attribution({}))
def attribute(**names: object) -> Attribution:
    """Give every span started inside the names of its owner: a block, or a decorator.

        with spanledger.attribute(feature="rerank", customer="acme"):
            ...

    ``team``, ``project``, ``feature``, ``customer`` and ``environment`` are what spanledger groups
    by; any other lower-case name is carried as well. Values become text of at most 128 bytes;
    None and "" leave what an outer block said. At most 16 names travel at a time.

    The values leave the process: on spans, and as the ``baggage`` header of outgoing requests
    where the application instruments its HTTP client, to third parties too. Put no secrets in.
    """
    return Attribution(dict(_carried(names)))


class OwnerProcessor(SpanProcessor):
    """Copies the names in baggage, and ``defaults`` beneath them, onto each span at its start.

    What the application set on the span itself stays. ``defaults`` are span attributes by their
    full names, for a provider whose resource is not ours to fill.
    """

    def __init__(self, defaults: Mapping[str, str]) -> None:
        self._defaults = dict(defaults)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Called by the provider on the thread that starts the span; must not raise."""
        try:
            wanted = {**self._defaults, **_owner_attributes(parent_context)}
            present = span.attributes or {}
            for name, value in wanted.items():
                if name not in present:
                    span.set_attribute(name, value)
        except Exception as error:  # noqa: BLE001 - a span without owner is better than no answer
            warn_once("on_start", "a span started without its owner: %r", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Nothing: the span carries its names since its start."""

    def shutdown(self) -> None:
        """Nothing is held."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002 - the interface's
        """Nothing is held."""
        return True


def _carried(names: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The names fit to travel, with their values as text; says which are not."""
    for name, value in names.items():
        if not NAME.fullmatch(name):
            warn_once(f"name {name!r}", "spanledger.attribute ignores the name %r", name)
            continue
        text = as_text(value)
        if text:
            yield name, text


def as_text(value: object) -> str:
    """``value`` as text of at most 128 bytes of UTF-8; "" for None and for what has no text."""
    if value is None:
        return ""
    try:
        text = str(value)
    except Exception as error:  # noqa: BLE001 - somebody else's __str__
        kind = type(value).__name__
        warn_once(f"text of {kind}", "spanledger ignores a %s without text: %r", kind, error)
        return ""
    # Half of a surrogate pair would break the baggage header, and so the application's request.
    return text.encode("utf-8", "replace")[:LONGEST_VALUE].decode("utf-8", "ignore")


def _with_baggage(names: Mapping[str, str]) -> Context:
    current = context.get_current()
    carried = {key for key in baggage.get_all(current) if key.startswith(PREFIX)}
    for name, value in names.items():
        key = PREFIX + name
        carried.add(key)
        if len(carried) > MOST_NAMES:
            warn_once("names", "spanledger.attribute carries %d names at most", MOST_NAMES)
            break
        current = baggage.set_baggage(key, value, current)
    return current


def _owner_attributes(parent_context: Context | None) -> dict[str, str]:
    """The attributes that a span starting now takes from baggage.

    A parent context given by hand wins, as it does for the span's parent; what it does not say
    (often it was made only to name a parent) the block around the code says.
    """
    said = dict(baggage.get_all())
    if parent_context is not None:
        said.update(baggage.get_all(parent_context))
    ours = [key for key in said if key.startswith(PREFIX) and NAME.fullmatch(key[len(PREFIX) :])]
    values = ((SPAN_ATTRIBUTES.get(key, key), as_text(said[key])) for key in ours[:MOST_NAMES])
    return {name: value for name, value in values if value}
