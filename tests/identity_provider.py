"""A small OpenID provider on loopback: discovery, a key set, authorization codes, ID tokens.

It keeps to the standard; what a test wants to be wrong, it says.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

CLIENT_ID = "spanledger"
CLIENT_SECRET = "a secret & more"

_RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
_EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
OTHERS = RSAKey.generate_key(2048, {"kid": "rsa"})
"""Somebody else's, by the same name."""


@dataclass
class Provider:
    """What it says, and to whom; set its fields to have it say something else."""

    issuer: str
    alg: str = "RS256"
    now: float = 0
    claims: dict[str, Any] = field(default_factory=dict)
    """Of whoever signs in; None leaves one out."""
    user_info: dict[str, Any] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    write: Callable[[dict[str, Any], dict[str, Any]], str] | None = None
    """Writes a token instead of us."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """What a path answers instead."""
    slow: float = 0
    """Seconds between two bytes of an answer."""
    asked: list[str] = field(default_factory=list)
    """Paths that were asked."""

    def authorize(self, address: str) -> str:
        """Somebody signs in there: the address that their browser is sent back to."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert address.startswith(f"{self.issuer}/authorize?")
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        said = {"code": code, "state": asked["state"], "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(said)}"

    def get(self, path: str, header: str | None) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "authorization_response_iss_parameter_supported": True,
            } | self.metadata
        if path == "/keys":
            return 200, KeySet([_RSA, _EC]).as_dict(private=False)
        if path == "/userinfo" and header == "Bearer access":
            return 200, self.user_info or {"sub": self.claims.get("sub", "u-1")}
        return 404, {"error": "not_found"}

    def redeem(self, form: dict[str, str], header: str | None) -> tuple[int, Any]:
        pair = "spanledger:a%20secret%20%26%20more"
        if header != f"Basic {base64.b64encode(pair.encode()).decode()}":
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"id_token": self.token(asked["nonce"]), "access_token": "access"}

    def token(self, nonce: str) -> str:
        said = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "u-1",
            "nonce": nonce,
            "iat": int(self.now),
            "exp": int(self.now) + 300,
            "name": "Ada Example",
            "email": "ada@example.com",
            "email_verified": True,
        } | self.claims
        claims = {name: value for name, value in said.items() if value is not None}
        key = _EC if self.alg.startswith("ES") else _RSA
        header = {"alg": self.alg, "kid": key.kid}
        if self.write is not None:
            return self.write(header, claims)
        return jwt.encode(header, claims, key, algorithms=[self.alg])


def public_key() -> bytes:
    """What an attacker has of the provider: its public key."""
    return _RSA.as_pem(private=False)


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """A token as anybody can write it."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@contextmanager
def identity_provider() -> Iterator[Provider]:
    """One that runs, on a free port, until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Door)
    server.daemon_threads = True
    provider = Provider(f"http://127.0.0.1:{server.server_address[1]}")
    server.provider = provider  # type: ignore[attr-defined]  # for its door
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Door(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(*self._provider().get(self.path, self.headers["Authorization"]))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self._answer(*self._provider().redeem(form, self.headers["Authorization"]))

    def _provider(self) -> Provider:
        found = self.server.provider  # type: ignore[attr-defined]  # as above
        assert isinstance(found, Provider)
        found.asked.append(self.path)
        return found

    def _answer(self, status: int, said: Any) -> None:
        provider = self._provider()
        status, body = provider.answers.get(self.path, (status, json.dumps(said).encode()))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()
        try:
            for at in range(len(body) if provider.slow else 0):
                self.wfile.write(body[at : at + 1])
                self.wfile.flush()
                time.sleep(provider.slow)  # to be slow is what it is here for: nobody waits by it
            if not provider.slow:
                self.wfile.write(body)
        except OSError:  # it has heard enough
            pass

    def log_message(self, *_said: object) -> None:
        """Nobody reads it."""
