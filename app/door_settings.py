"""Settings of who comes in: people's sign-in, TLS, and proxies that are believed."""

import ssl
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode

from app.addresses import server_url
from app.setting_values import Takes
from spend.access.group_roles import GroupRoles, group_roles
from spend.access.networks import Network, networks_of
from spend.checked_fields import TermsRefused


def _issuer(value: str) -> str:
    server_url(value)
    return value.strip()  # a slash at its end is part of its name


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


File = Annotated[Path, AfterValidator(_file), Takes("a file")]
Issuer = Annotated[
    str, AfterValidator(_issuer), Takes("such as `https://login.example.com/realms/main`")
]
Rules = Annotated[
    GroupRoles, NoDecode, BeforeValidator(_rules), Takes("`group=role`, with commas between")
]
Networks = Annotated[
    tuple[Network, ...],
    NoDecode,
    BeforeValidator(_networks),
    Takes("such as `10.0.0.0/8,192.0.2.7`"),
]


class DoorSettings(BaseSettings):
    """Who comes in, and how."""

    session_hours: Annotated[float, Field(gt=0, le=24 * 30)] = Field(
        default=12,
        description="How many hours people stay [signed in](../access.md#sessions) to the pages. "
        "Whoever signs in with a key stays for 30 days, as long as the key is in force.",
    )
    oidc_issuer: Issuer | None = Field(
        default=None,
        description="The identity provider that people [sign in](../access.md#people) through, as "
        "its address stands in its tokens. Then pages need signing in also where there are no "
        "keys.",
    )
    oidc_client_id: str | None = Field(
        default=None, description="What we are called there, as a client. Set with `OIDC_ISSUER`."
    )
    oidc_client_secret: Annotated[str, Takes("text", secret=True)] | None = Field(
        default=None,
        description="Our secret there. Without one we are a public client, and prove ourselves by "
        "PKCE alone.",
    )
    oidc_scopes: str = Field(
        default="openid email profile",
        description="What is asked for of whoever signs in; some providers want `groups` beside "
        "it.",
    )
    oidc_roles: Rules = Field(
        default_factory=tuple,
        description="Which groups of the provider have which [role](../access.md#roles) here: "
        "`platform-admins=admin, finops=finance, search-leads=lead:search, everyone=viewer`. "
        "`everyone`: whoever the provider lets in.",
    )
    oidc_groups_claim: str = Field(
        default="groups",
        description="The claim that names somebody's groups; with points where it lies deeper: "
        "`realm_access.roles`.",
    )
    tls_cert: File | None = Field(
        default=None,
        description="The certificate of all doors, with those that it is signed with, as PEM: then "
        "the API, the pages and the collector's doors [speak TLS](../access.md#tls).",
    )
    tls_key: File | None = Field(
        default=None, description="Its private key, as PEM, without a password."
    )
    tls_client_ca: File | None = Field(
        default=None,
        description="Who signs the certificates that senders must show at the collector's doors "
        "(mTLS), as PEM. The keys are needed as before.",
    )
    trusted_proxies: Networks = Field(
        default_factory=tuple,
        description="Networks whose `X-Forwarded-For`, `-Proto` and `-Host` the API "
        "[believes](../access.md#proxies). Nobody else's.",
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
