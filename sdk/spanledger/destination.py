"""Where spans go, and with which key: an argument, our variables, then OpenTelemetry's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry.util.re import parse_env_headers

from spanledger.harmless import warn_once

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_ENDPOINT = "http://127.0.0.1:4318"
TRACES = "/v1/traces"


@dataclass(frozen=True)
class Destination:
    """The full address of an OTLP/HTTP traces endpoint, and the headers for it."""

    url: str
    headers: dict[str, str] = field(repr=False)  # they hold the key

    @property
    def host(self) -> str:
        """The host and port, for messages: without path, user or password."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


def destination(
    endpoint: str | None, api_key: str | None, environ: Mapping[str, str]
) -> Destination | None:
    """Where to send, or None (with a warning) where the address named is none.

    Never falls back from a bad address to another one: that would send the application's spans
    where nobody wanted them.
    """
    name, url = _address(endpoint, environ)
    if not _is_address(url):
        warn_once(f"address {name}", "spans go nowhere: %s is no http:// or https:// address", name)
        return None
    if name.startswith("OTEL_") and "grpc" in (
        environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
        or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "")
    ):
        warn_once(
            "grpc", "%s is set up for gRPC, but spanledger speaks OTLP/HTTP: name its address "
            "in SPANLEDGER_ENDPOINT", name,
        )  # fmt: skip
    return Destination(url=url, headers=_headers(api_key, environ))


def _address(endpoint: str | None, environ: Mapping[str, str]) -> tuple[str, str]:
    """What names the address, and the address for traces."""
    if endpoint:
        return "the argument endpoint", _for_traces(str(endpoint))
    ours = environ.get("SPANLEDGER_ENDPOINT")
    if ours:
        return "SPANLEDGER_ENDPOINT", _for_traces(ours)
    whole = environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if whole:
        return "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", whole  # used as it is, says the standard
    base = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if base:
        return "OTEL_EXPORTER_OTLP_ENDPOINT", base.rstrip("/") + TRACES
    return "the default", DEFAULT_ENDPOINT + TRACES


def _for_traces(endpoint: str) -> str:
    bare = endpoint.strip().rstrip("/")
    return bare if bare.endswith(TRACES) else bare + TRACES


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a broken IPv6 address
        return False


def _headers(api_key: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    """The standard variables' headers with our key in them.

    Merged here because older exporters take headers from the argument or from the environment,
    never from both.
    """
    given = environ.get("OTEL_EXPORTER_OTLP_TRACES_HEADERS") or environ.get(
        "OTEL_EXPORTER_OTLP_HEADERS", ""
    )
    headers = dict(parse_env_headers(given, liberal=True))
    key = str(api_key or environ.get("SPANLEDGER_API_KEY", "")).strip()
    if key:
        headers["authorization"] = f"Bearer {key}"
    return headers
