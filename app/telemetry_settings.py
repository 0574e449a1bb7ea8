"""Settings of what we tell of ourselves: our own traces, and spend as metrics, both by OTLP."""

import re
from typing import Annotated, Self
from urllib.parse import unquote

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode

from app.addresses import server_url
from app.setting_values import Takes
from spend.channels.destinations import destination

Headers = tuple[tuple[str, str], ...]
"""Names, in small letters, and values."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = frozenset({"connection", "content-encoding", "content-length", "content-type", "host"})


def _endpoint(value: str) -> str:
    # Some services have a secret in the path: no message repeats it.
    try:
        url = server_url(value)
        destination(url, allow_private=True)
    except ValueError as refused:
        raise ValueError(f"write a URL such as http://otel-collector:4318: {refused}") from None
    if re.search(r"/v1/(traces|metrics|logs)$", url):
        raise ValueError("leave the signal's path out: v1/traces or v1/metrics is added")
    return url


def _headers(value: object) -> Headers:
    if isinstance(value, tuple):
        return value
    found = []
    for part in str(value).split(","):
        name, equals, written = (each.strip() for each in part.partition("="))
        said = unquote(written)
        if not equals or not _NAME.fullmatch(name) or not said.isprintable() or not said.isascii():
            raise ValueError("write name=value, with commas between, and %2C for one in a value")
        if name.lower() in _OURS:
            raise ValueError(f"{name} is not for you to set")
        found.append((name.lower(), said))
    return tuple(found)


OtlpEndpoint = Annotated[
    str, AfterValidator(_endpoint), Takes("a URL, without `/v1/…`; `http` or `https`")
]
OtlpHeaders = Annotated[
    Headers,
    NoDecode,
    BeforeValidator(_headers),
    Takes("`name=value`, with commas between", secret=True),
]


class TelemetrySettings(BaseSettings):
    """What is told to others by OTLP."""

    telemetry_endpoint: OtlpEndpoint | None = Field(
        default=None,
        description="Where our [own traces](../telemetry.md) go, by OTLP over HTTP: `v1/traces` is "
        "added. Not set: there are none. Variables of OpenTelemetry's own (`OTEL_…`) are not read: "
        "they are the applications'. It may be on the inside, and `http`.",
    )
    telemetry_headers: OtlpHeaders = Field(
        default=(),
        repr=False,
        description="What is sent with them, as in `OTEL_EXPORTER_OTLP_HEADERS`: "
        "`authorization=Bearer%20…`.",
    )
    telemetry_sample: Annotated[float, Field(ge=0, le=1)] = Field(
        default=1,
        description="Of our own traces, the share that is sent. Where a request comes with a "
        "`traceparent`, its sender has decided.",
    )
    export_endpoint: OtlpEndpoint | None = Field(
        default=None,
        description="Where [metrics of spend](../telemetry.md#spend-as-metrics) go each minute, by "
        "OTLP over HTTP: `v1/metrics` is added. Teams, budgets and amounts are told there. It may "
        "be on the inside, and `http`.",
    )
    export_headers: OtlpHeaders = Field(
        default=(),
        repr=False,
        description="What is sent with them: `dd-api-key=…`, `authorization=Basic%20…`.",
    )

    @model_validator(mode="after")
    def _endpoints(self) -> Self:
        for name in ("TELEMETRY", "EXPORT"):
            its = getattr(self, f"{name.lower()}_headers")
            if its and getattr(self, f"{name.lower()}_endpoint") is None:
                raise ValueError(f"SPANLEDGER_{name}_HEADERS: set SPANLEDGER_{name}_ENDPOINT, too")
        return self
