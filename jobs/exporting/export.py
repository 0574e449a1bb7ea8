"""Tells another monitoring system what spend has come to, once a minute, by OTLP.

What is told is what the ledger has taken in. What cannot be told now is told with the next tick:
points are of what there is so far, so nothing is lost by one that is not.
"""

import hmac
import time
from datetime import datetime
from textwrap import shorten
from typing import Final
from uuid import UUID

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)

from jobs.context import Done, JobContext, JobSettings
from jobs.exporting.otlp_sending import Sent, send
from jobs.exporting.spend_points import request
from spend.secret_shapes import without_secrets
from store.conversion import Conversion
from store.metrics.spend_so_far import SpendSoFar, spend_so_far
from store.tenants import TENANT

PATIENCE: Final = 20.0
"""Seconds of a tick in which it is tried again. The next one comes after a minute."""


def run(context: JobContext) -> Done:
    """One round, at ``context.now``."""
    settings = context.settings
    if settings.export_endpoint is None:
        return Done("nothing is told: EXPORT_ENDPOINT is not set")
    told = _read(context)
    body = request(told, context.now, instance_of(settings))
    count = sum(_points(metric) for metric in body.resource_metrics[0].scope_metrics[0].metrics)
    sent = send(
        f"{settings.export_endpoint}/v1/metrics",
        body.SerializeToString(),
        settings.export_headers,
        now=context.now,
        until=time.monotonic() + PATIENCE,
        going_on=context.going_on,
    )
    if sent.outcome == "taken":
        note = f"{count:,} points{_folded(told)}{_as_of(told.complete_until)}{_partly(sent)}"
        return Done(note, counts={"points": count})
    helps = "it will not be taken as it is" if sent.outcome == "refused" else "told another time"
    return Done(f"{sent.why}: {helps}", failed=True)


def instance_of(settings: JobSettings) -> UUID:
    """Which ledger tells: the same for all its processes, and no secret."""
    return UUID(bytes=hmac.digest(settings.key_pepper, b"spanledger export", "sha256")[:16])


def _read(context: JobContext) -> SpendSoFar:
    settings, now = context.settings, context.now
    telling = Conversion(
        to=settings.currency, policy=settings.rate_policy, zone=settings.zone, now=now
    )
    with context.database.read() as session:
        return spend_so_far(session, TENANT, settings.calendar, telling, now)


def _points(metric: object) -> int:
    """Of a sum or a gauge."""
    return len(metric.sum.data_points) + len(metric.gauge.data_points)  # type: ignore[attr-defined]  # of a oneof one is there


def _folded(told: SpendSoFar) -> str:
    return f", {told.folded:,} groups in other" if told.folded else ""


def _as_of(complete_until: datetime | None) -> str:
    return f", complete until {complete_until:%H:%M:%S} UTC" if complete_until else ""


def _partly(sent: Sent) -> str:
    """What a request that was taken was told of points that were not."""
    try:
        partly = ExportMetricsServiceResponse.FromString(sent.answer).partial_success
    except DecodeError:  # JSON, or a proxy's page: it was taken all the same
        return ""
    refused, why = partly.rejected_data_points, without_secrets(partly.error_message)
    said = f" ({shorten(why, 100, placeholder=' …')})" if why else ""
    return f"; {refused:,} of them refused{said}" if refused or why else ""
