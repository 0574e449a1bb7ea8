"""``spanledger.instrument``: from nothing, or from an application's own set-up, to spans sent."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

from spanledger.attributes import OwnerProcessor, as_text
from spanledger.delivery import BoundedBatchSpanProcessor, Exporter
from spanledger.destination import Destination, destination
from spanledger.harmless import harmless, log, warn_once
from spanledger.instrumentations import FAMILIES, switch_on

if TYPE_CHECKING:
    from collections.abc import Sequence

# What each argument is called on a resource, or on spans where the resource is not ours. spanledger
# looks at `spanledger.team` before the plain `team` that OTEL_RESOURCE_ATTRIBUTES may hold.
ATTRIBUTES = {
    "service": "service.name",
    "team": "spanledger.team",
    "project": "spanledger.project",
    "environment": "deployment.environment.name",
}

_setting_up = threading.Lock()
_set_up: weakref.WeakSet[Any] = weakref.WeakSet()


@harmless(otherwise=lambda: None)
def instrument(
    service: str | None = None,
    team: str | None = None,
    project: str | None = None,
    environment: str | None = None,
    endpoint: str | None = None,
    api_key: str | None = None,
    *,
    instrumentations: Sequence[str] | None = None,
    tracer_provider: trace.TracerProvider | None = None,
) -> None:
    """Send this process's spans to spanledger, and switch on the GenAI instrumentations found.

    An argument wins over the environment for what it names.

    ``service``, ``team``, ``project``, ``environment``: who is calling; else ``OTEL_SERVICE_NAME``
    and ``OTEL_RESOURCE_ATTRIBUTES``.
    ``endpoint``: an OTLP/HTTP address; else ``SPANLEDGER_ENDPOINT``, else
    ``OTEL_EXPORTER_OTLP_(TRACES_)ENDPOINT``, else http://127.0.0.1:4318.
    ``api_key``: sent as ``Authorization: Bearer``; else ``SPANLEDGER_API_KEY``.
    ``instrumentations``: families in order of preference, of "opentelemetry", "openllmetry" and
    "openinference" (which is the default order); an empty list switches on none.
    ``tracer_provider``: else the global one, which is made if there is none and never replaced.

    Call it once, after any set-up of OpenTelemetry of the application's own; again is harmless.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        log.info("OTEL_SDK_DISABLED is set: spanledger does nothing")
        return
    given = {
        "service": as_text(service),
        "team": as_text(team),
        "project": as_text(project),
        "environment": as_text(environment),
    }
    owner = {name: value for name, value in given.items() if value}
    with _setting_up:
        provider = tracer_provider or trace.get_tracer_provider()
        if not _is_ready(provider, owner, endpoint, api_key):
            return
        switched = switch_on(_families(instrumentations), tracer_provider)
    log.info("spanledger switched on: %s", ", ".join(switched) or "no instrumentation")


def _is_ready(
    provider: trace.TracerProvider,
    owner: dict[str, str],
    endpoint: str | None,
    api_key: str | None,
) -> bool:
    """Whether ``provider``'s spans are sent from now on, or had been before."""
    if provider in _set_up:
        log.debug("spanledger.instrument was called before")
    elif isinstance(provider, trace.ProxyTracerProvider):  # nobody has set one
        _add_global_provider(owner, _target(endpoint, api_key))
    elif callable(getattr(provider, "add_span_processor", None)):
        _join(provider, owner, _target(endpoint, api_key))
    else:
        kind = type(provider).__qualname__
        warn_once("provider", "spanledger does nothing: a %s takes no span processors", kind)
        return False
    return True


def _target(endpoint: str | None, api_key: str | None) -> Destination | None:
    if os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        log.info("OTEL_TRACES_EXPORTER is none: no span is sent")
        return None
    return destination(endpoint, api_key, os.environ)


def _add_global_provider(owner: dict[str, str], target: Destination | None) -> None:
    resource = Resource.create({ATTRIBUTES[name]: value for name, value in owner.items()})
    provider = TracerProvider(resource=resource)
    for processor in _processors({}, target):
        provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)
    _set_up.add(provider)


def _join(provider: Any, owner: dict[str, str], target: Destination | None) -> None:
    """Add to the application's own provider: its resource stays, so spans carry the owner."""
    resource = getattr(getattr(provider, "resource", None), "attributes", {})
    defaults = {
        ATTRIBUTES[name]: value
        for name, value in owner.items()
        if resource.get(ATTRIBUTES[name]) != value
    }
    if target is not None and _sends_to(provider, target.url):
        log.info("the application sends its spans to %s by itself", target.host)
        target = None
    for processor in _processors(defaults, target):
        provider.add_span_processor(processor)
    _set_up.add(provider)


def _processors(defaults: dict[str, str], target: Destination | None) -> list[SpanProcessor]:
    """All of them, or an error: a provider must not be left with half."""
    processors: list[SpanProcessor] = [OwnerProcessor(defaults)]
    if target is not None:
        processors.append(BoundedBatchSpanProcessor(Exporter(target)))
    return processors


def _sends_to(provider: object, url: str) -> bool:
    """Whether an exporter of the application has this address; a guess that may say no wrongly.

    OpenTelemetry has no public way to ask; saying no wrongly sends each span twice, and the
    collector counts it once.
    """
    fan_out = getattr(provider, "_active_span_processor", None)
    for processor in getattr(fan_out, "_span_processors", ()):
        exporter = getattr(processor, "span_exporter", None)
        if getattr(exporter, "_endpoint", None) == url:
            return True
    return False


def _families(asked: Sequence[str] | None) -> list[str]:
    if asked is None:
        return list(FAMILIES)
    names = [asked] if isinstance(asked, str) else [str(name) for name in asked]
    for name in names:
        if name not in FAMILIES:
            warn_once(f"family {name}", "spanledger knows no instrumentations %r", name)
    return [name for name in names if name in FAMILIES]
