"""What a request says, whichever signal it holds."""

from collections.abc import Sequence
from datetime import datetime

from collector.signals import Signal
from collector.understanding.metrics import understand_metrics
from collector.understanding.understand import understand
from store.intake import Heard


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
    return understand(
        requests, tenant=tenant, received_at=received_at, key_team=key_team, signal=signal
    )
