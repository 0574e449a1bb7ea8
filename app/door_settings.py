"""Settings of who comes in: people's sign-in, TLS, and proxies that are believed."""

import ssl
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode

from spend.checked_fields import TermsRefused
from spend.group_roles import GroupRoles, group_roles
from spend.networks import Network, networks_of


def _issuer(value: str) -> str:
    parts = urlsplit(value)
    wrong = "@" in parts.netloc or parts.query or parts.fragment
    if parts.scheme not in {"http", "https"} or not parts.hostname or wrong:
        raise ValueError("write an address such as https://login.example.com/realms/main")
    return value


def _rules(value: object) -> GroupRoles:
    if isinstance(value, tuple):
        return value
    try:
        return group_roles(str(value))
    except TermsRefused as refused:
        raise ValueError(f"{refused.field!r}: {refused}") from None


def _networks(value: object) -> tuple[Network, ...]:
    return value if isinstance(value, tuple) else networks_of(str(value))


def _file(value: Path) -> Path:
    file = value.expanduser().absolute()
    try:
        with file.open("rb"):
            return file
    except OSError as error:
        raise ValueError(f"{file} cannot be read ({error.strerror})") from None


File = Annotated[Path, AfterValidator(_file)]


class DoorSettings(BaseSettings):
    """Who comes in, and how."""

    session_hours: Annotated[float, Field(gt=0, le=24 * 30)] = Field(
        default=12, description="How long people stay signed in to the pages."
    )
    oidc_issuer: Annotated[str, AfterValidator(_issuer)] | None = Field(
        default=None, description="The identity provider that people sign in through."
    )
    oidc_client_id: str | None = Field(
        default=None, description="What we are called there, as a client."
    )
    oidc_client_secret: str | None = Field(
        default=None, description="Our secret there. Not set: a public client, with PKCE alone."
    )
    oidc_scopes: str = Field(
        default="openid email profile", description="What is asked for of whoever signs in."
    )
    oidc_roles: Annotated[GroupRoles, NoDecode, BeforeValidator(_rules)] = Field(
        default_factory=tuple, description="Which groups of the provider have which role here."
    )
    oidc_groups_claim: str = Field(
        default="groups", description="Where the provider says somebody's groups."
    )
    tls_cert: File | None = Field(
        default=None, description="The certificate of all doors, and what it is signed with (PEM)."
    )
    tls_key: File | None = Field(default=None, description="Its private key (PEM).")
    tls_client_ca: File | None = Field(
        default=None, description="Who signs the certificates that senders must show (PEM)."
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = Field(
        default_factory=tuple, description="Networks whose X-Forwarded-… are believed by the API."
    )

    @model_validator(mode="after")
    def _doors(self) -> Self:
        if (self.oidc_issuer is None) != (self.oidc_client_id is None):
            raise ValueError(
                "SPANLEDGER_OIDC_ISSUER and SPANLEDGER_OIDC_CLIENT_ID: set both, or none"
            )
        if "openid" not in self.oidc_scopes.split():
            raise ValueError("SPANLEDGER_OIDC_SCOPES: openid must be one of them")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("SPANLEDGER_TLS_CERT and SPANLEDGER_TLS_KEY: set both, or none")
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise ValueError("SPANLEDGER_TLS_CLIENT_CA: set SPANLEDGER_TLS_CERT too")
        self._check_certificates()
        return self

    def _check_certificates(self) -> None:
        if self.tls_cert is None or self.tls_key is None:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # A password is never asked for: nobody sits there when a service starts.
            context.load_cert_chain(self.tls_cert, self.tls_key, password=lambda: "")
        except (ssl.SSLError, OSError) as error:
            why = getattr(error, "reason", None) or "not PEM"
            raise ValueError(
                "SPANLEDGER_TLS_CERT and SPANLEDGER_TLS_KEY: they are no certificate and the key "
                f"that belongs to it ({str(why).replace('_', ' ').lower()})"
            ) from None
        if self.tls_client_ca is not None:
            try:
                context.load_verify_locations(self.tls_client_ca)
            except (ssl.SSLError, OSError):
                raise ValueError(
                    f"SPANLEDGER_TLS_CLIENT_CA: {self.tls_client_ca} holds no certificate"
                ) from None

    @property
    def session_lasts(self) -> timedelta:
        """How long people stay signed in."""
        return timedelta(hours=self.session_hours)

    @property
    def scheme(self) -> str:
        """How our own addresses begin: https with a certificate."""
        return "http" if self.tls_cert is None else "https"
