"""What the API is told when it is put together. ``app/settings.py`` fills it."""

from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from api.oidc.client import Client
from spend.access.networks import Network
from spend.channels.channels import AddressesOf, Checks
from spend.currencies.exchange import DAILY, Telling
from spend.fiscal import CALENDAR_YEAR, Calendar, FiscalYear
from store.access.secrets import Seal
from store.metrics.metric_text import Certificates, no_certificates
from store.steps import Lost, none_lost

UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Values, never read from a global."""

    currency: str = "USD"
    """The currency that answers are given in where a question names none."""
    rate_policy: str = DAILY
    """Whose day's rate other currencies are told by (``spend.currencies.exchange.POLICIES``)."""
    timezone: ZoneInfo = field(default=UTC_ZONE)
    """What days and months are cut by where a question names no zone."""
    fiscal_year: FiscalYear = CALENDAR_YEAR
    """How the books' years are cut."""
    open_without_keys: bool = True
    """Whether a database without any key may be read and written by everybody. Only right where
    the API is bound to loopback."""
    key_pepper: bytes = field(default=b"", repr=False)
    """What keys are hashed with (``store/access/keys.py``), and secrets of channels sealed."""
    otlp_http_url: str | None = "http://127.0.0.1:4318"
    """Where the collector listens, for the instructions on the front page; None: not here."""
    allow_private_destinations: bool = False
    """Whether a webhook may point at this machine or its network, over http."""
    addresses_of: AddressesOf = lambda _host, _port: ()
    """Looks hosts up, of what is saved; not set: they are only looked up when something is sent."""
    has_apprise: bool = False
    """Whether the extra is installed."""
    session_lasts: timedelta = timedelta(hours=12)
    """How long a person stays signed in."""
    trusted_proxies: tuple[Network, ...] = ()
    """Whose word is taken for where a request comes from."""
    pages_url: str = "http://127.0.0.1:8321"
    """Where people open the pages, as https://spend.example."""
    certificates: Certificates = no_certificates
    """How long those are good that the API shows, where it speaks TLS itself."""
    own_spans_lost: Lost = none_lost
    """How many spans of our own traces nobody got."""
    oidc: Client | None = None
    """How people sign in through an identity provider; None: they show keys."""

    @property
    def checks(self) -> Checks:
        """How what a channel is reached with is looked at when it is saved."""
        return Checks(self.addresses_of, self.allow_private_destinations, self.has_apprise)

    @property
    def seal(self) -> Seal:
        """Seals what channels are reached with."""
        return Seal(self.key_pepper)

    @property
    def calendar(self) -> Calendar:
        """Whose periods are closed, and statements are of where a question names no zone."""
        return Calendar(self.timezone, self.fiscal_year)

    @property
    def telling(self) -> Telling:
        """How money of many currencies is told where nobody asks for it otherwise."""
        return Telling(self.currency, self.rate_policy)
