"""The certificate that our doors show: whether it is good, and for how long."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from app.certificates import of_authorities, of_file, shown_at
from app.doors import addresses
from app.examination.findings import Finding, State
from app.settings import PREFIX, Settings
from store.metrics.metric_text import Validity

_SOON: Final = timedelta(days=14)
_LAST_PART: Final = 5
"""Of those that are good for days alone only the last fifth is soon."""
_WHAT: Final = "certificate"


def certificates(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Whether what we speak TLS with is good for a while; nothing where we speak none."""
    if settings.tls_cert is None:
        return
    own = of_file(settings.tls_cert)
    yield _judged(f"{PREFIX}TLS_CERT", own, now)
    if settings.tls_client_ca:
        yield _judged(f"{PREFIX}TLS_CLIENT_CA", of_authorities(settings.tls_client_ca), now)
    for name, address in addresses(settings).items():
        shown = shown_at(address) if address.port else None
        if shown is not None and own is not None and shown != own:
            said = f"{name} still shows one that ends {_day(shown.ends)}"
            do = "SIGUSR2 to collector or serve: docs/access.md#tls"
            yield Finding(_WHAT, State.WRONG if shown.ends <= now else State.LOOK, said, do)


def _judged(name: str, validity: Validity | None, now: datetime) -> Finding:
    if validity is None:
        return Finding(_WHAT, State.LOOK, f"{name}: how long it is good cannot be read")
    ends, left = _day(validity.ends), validity.ends - now
    if left <= timedelta(0):
        do = "put the next one in its place: docs/access.md#tls"
        return Finding(_WHAT, State.WRONG, f"{name} ended {ends}", do)
    if now < validity.begins:
        said = f"{name} is good from {_day(validity.begins)} on only"
        return Finding(_WHAT, State.WRONG, said, "is this machine's clock right?")
    if left < _SOON and left < (validity.ends - validity.begins) / _LAST_PART:
        do = "does what renews it still run?"
        return Finding(_WHAT, State.LOOK, f"{name} ends {ends}", do)
    return Finding(_WHAT, State.WELL, f"{name} is good until {ends}")


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
