"""What a request says, whichever signal it holds."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from collector.errors import Malformed
from collector.signals import Signal
from collector.understanding.metrics import understand_metrics
from collector.understanding.understand import understand
from store.intake import Heard
from store.sightings import no_sightings


def understand_signal(
    signal: Signal,
    requests: Sequence[bytes],
    *,
    tenant: int,
    received_at: datetime,
    key_team: str | None = None,
) -> Heard:
    """What some serialised requests of a signal hold: sightings, and what is none.

    ``key_team`` is the team of the key they came with, where it has one. Nothing in an item makes
    this raise. Raises ``collector.errors.Malformed`` where some bytes are no such request.
    """
    if signal is Signal.METRICS:
        return understand_metrics(
            requests, tenant=tenant, received_at=received_at, key_team=key_team
        )
    if signal is Signal.LOGS:
        return _nothing_yet(requests)
    return understand(requests, tenant=tenant, received_at=received_at, key_team=key_team)


def _nothing_yet(requests: Sequence[bytes]) -> Heard:
    records = 0
    for request in requests:
        try:
            told = ExportLogsServiceRequest.FromString(request)
        except DecodeError as error:
            raise Malformed(f"not an ExportLogsServiceRequest: {error}") from None
        records += sum(
            len(scope.log_records) for group in told.resource_logs for scope in group.scope_logs
        )
    return Heard(no_sightings(), {}, {}, {}, records, records, Counter(), Counter())
