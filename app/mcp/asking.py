"""Asks the API, with the key of whoever asked: GET, and POST /v1/what-if, which writes nothing."""

import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import quote, urlsplit

import anyio
import httpx2
import orjson

from app.addresses import Address
from app.errors import WrongSetting
from app.mcp.untrusted import plain_text, shown

PATIENCE: Final = 60.0
"""Seconds that an answer may take."""
MOST_BYTES: Final = 32 * 2**20
"""Of an answer."""
_LONGEST: Final = 1_000
"""Characters of what a problem says."""
_WHAT_IF: Final = "/v1/what-if"
_LONGEST_ASKED: Final = 32 * 1024
"""Characters of an address: servers and proxies take no more than 64 KiB of it and the headers."""
_KEY: Final = re.compile(r" sl_\w{6,}$", re.ASCII)
_CUT_KEY: Final = b"sl_..."
_OK, _REDIRECTS = 200, range(300, 400)
_AWAY: Final = (
    "that it is not there (HTTP {}). Ask again in a moment. Whoever set this up can see whether it"
    " runs."
)
_OF_PROXIES: Final = {
    414: "that this is too long to ask (HTTP {}). Give fewer or shorter values.",
    429: "that too much is asked (HTTP {}). Ask again in a minute.",
    **dict.fromkeys(range(502, 505), _AWAY),
}
"""What proxies answer in the API's place, and what it says."""
_HELP: Final = {
    401: "The key comes from SPANLEDGER_READ_KEY; over HTTP from the caller's header"
    " Authorization. An admin makes one: spanledger keys create --kind read --name NAME",
    403: "The key decides what may be seen. Ask for less, or with another key.",
    404: "There is none, or it is another team's.",
    429: "Wait before asking again.",
    503: "Ask again in a moment.",
}


class Refused(Exception):  # noqa: N818  # what happened, as the model is told it
    """There is no answer; the message says why and what to do. For whoever asked."""


@dataclass(frozen=True, slots=True)
class Api:
    """The API, as one caller may ask it."""

    client: httpx2.AsyncClient
    authorization: str | None
    """Their header, with their key; None where they have none."""
    forwarded_for: str | None = None
    """Where they come from, as a proxy says it; None: they are this process."""

    async def get(self, *path: str | int, asked: Mapping[str, Any] | None = None) -> Any:
        """The answer at /v1/``path``, its text made plain. Raises Refused.

        A parameter that is a list is sent once for each value, and one that is None not at all.
        """
        where = "/v1/" + "/".join(quote(str(part), safe="") for part in path)
        return await self._answer("GET", where, params=_parameters(asked or {}))

    async def what_if(self, asked: Mapping[str, Any]) -> Any:
        """The answer of POST /v1/what-if, which reads alone. Raises Refused."""
        return await self._answer("POST", _WHAT_IF, json=asked)

    async def _answer(self, method: str, path: str, **said: Any) -> Any:
        headers = {"Accept": "application/json"}
        if self.authorization:
            headers["Authorization"] = self.authorization
        if self.forwarded_for:
            headers["X-Forwarded-For"] = self.forwarded_for
        try:
            asked = self.client.build_request(method, path, headers=headers, **said)
        except httpx2.InvalidURL:
            asked = None
        if asked is None or len(asked.url.raw_path) > _LONGEST_ASKED:
            raise Refused("That is too long to ask. Give fewer or shorter values.")
        answer, body = await self._told(asked)
        if self.authorization and _KEY.search(self.authorization):
            # Whatever answers there: a key that it repeats is told to nobody.
            body = body.replace(self.authorization.split()[-1].encode(), _CUT_KEY)
        return _understood(answer, body)

    async def _told(self, asked: httpx2.Request) -> tuple[httpx2.Response, bytes]:
        try:
            # In all: of what drips, the next part is never late.
            with anyio.fail_after(PATIENCE):
                answer = await self.client.send(asked, stream=True)
                async with aclosing(answer):
                    return answer, await _read(answer)
        except (TimeoutError, httpx2.ReadTimeout):
            raise Refused(
                f"spanledger did not answer within {PATIENCE:.0f} seconds. Ask for a shorter time,"
                " or group by less."
            ) from None
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise Refused(_not_there(str(self.client.base_url), error)) from None


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Connections to the API at an address, for any number of callers: it keeps no cookie."""
    host = urlsplit(url).hostname or ""
    nothing = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    async with httpx2.AsyncClient(
        base_url=url,
        timeout=httpx2.Timeout(PATIENCE, connect=5),
        cookies=nothing,
        verify=trusted(),
        # A proxy for the world does not know this machine.
        trust_env=not Address(host, 0).is_loopback,
        headers={"User-Agent": "spanledger-mcp"},
    ) as client:
        yield client


def trusted() -> ssl.SSLContext:
    """Who may have signed the API's certificate. Raises WrongSetting."""
    try:
        return httpx2.create_ssl_context()
    except OSError as error:
        raise WrongSetting(f"SSL_CERT_FILE, SSL_CERT_DIR: {error}") from None


def _not_there(url: str, error: BaseException) -> str:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return (
                f"spanledger's API at {url} shows a certificate that is not trusted here:"
                f" {seen.verify_message}. Whoever set this up can have it trusted: SSL_CERT_FILE"
                " names a file with the certificate of who signed it (PEM)."
            )
        seen = seen.__cause__ or seen.__context__
    return (
        f"spanledger's API is not there: {url} ({type(error).__name__}). Nothing is known now; say"
        " so. Whoever set this up can see whether it runs and whether SPANLEDGER_API_URL is its"
        " address."
    )


def _parameters(asked: Mapping[str, Any]) -> list[tuple[str, str]]:
    told = []
    for name, value in asked.items():
        values = value if isinstance(value, list) else [value]
        told += [(name, str(each)) for each in values if each is not None]
    return told


async def _read(answer: httpx2.Response) -> bytes:
    body = bytearray()
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > MOST_BYTES:
            raise Refused("The answer is too long. Ask for a shorter time, or group by less.")
    return bytes(body)


def _understood(answer: httpx2.Response, body: bytes) -> Any:
    try:
        told = orjson.loads(body)
        if answer.status_code == _OK and told is not None:
            return shown(told)
    except (orjson.JSONDecodeError, RecursionError):
        told = None
    if answer.status_code in _OF_PROXIES and not isinstance(told, dict):
        raise Refused(
            f"What is before spanledger's API at {answer.request.url.copy_with(query=None)} says "
            + _OF_PROXIES[answer.status_code].format(answer.status_code)
        )
    if answer.status_code in _REDIRECTS or not isinstance(told, dict) or "title" not in told:
        raise Refused(
            f"What answers at {answer.request.url.copy_with(query=None)} (HTTP"
            f" {answer.status_code}) is not spanledger's API: SPANLEDGER_API_URL is wrong."
        )
    raise Refused(_problem(answer, told))


def _problem(answer: httpx2.Response, told: Mapping[str, Any]) -> str:
    """A problem of RFC 9457, in words: the fields that are wrong, and what helps."""
    lines = [plain_text(str(told["title"]))]
    errors = told.get("errors") or [told]
    for each in errors:
        detail, field = str(each.get("detail") or ""), each.get("field")
        # The detail of one wrong field begins with its name.
        if field and not detail.startswith(f"{field}: "):
            detail = f"{field}: {detail}"
        if detail:
            lines.append(plain_text(detail, _LONGEST))
    after = answer.headers.get("Retry-After", "")
    if after.isascii() and after.isdigit():
        lines.append(f"Ask again in {after} seconds.")
    elif answer.status_code in _HELP:
        lines.append(_HELP[answer.status_code])
    return "\n".join(lines)
