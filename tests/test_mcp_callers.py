"""Where callers of the models' server come from is the API's to judge: it is told as by a proxy."""

from types import SimpleNamespace
from typing import Any

from starlette.requests import Request

from app.mcp.transports import forwarded


def test_the_api_is_told_where_a_caller_comes_from_as_a_proxy_would_tell_it() -> None:
    def told(*headers: tuple[str, str]) -> str | None:
        sent = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        scope = {"type": "http", "client": ("192.0.2.9", 1), "headers": sent}
        context: Any = SimpleNamespace(request=Request(scope))
        return forwarded(context)

    key = ("authorization", "Bearer sl_read_one")
    hops = [("x-forwarded-for", "203.0.113.1"), ("x-forwarded-for", "10.0.0.2")]
    assert told(key) == "192.0.2.9"
    assert told(key, *hops) == "203.0.113.1, 10.0.0.2, 192.0.2.9"
    assert told(key, ("x-forwarded-for", "\xe9")) == "192.0.2.9"
    assert told(*hops) is None
    for more in range(15):
        long = told(key, ("x-forwarded-for", "203.0.113.1, " * 100 + "203.0.113." + "2" * more))
        assert long is not None
        assert len(long) <= 1_000
        assert long.endswith(", 192.0.2.9")
        assert long.startswith("203.0.113.1, "), "no address is cut, nor does it begin with a space"
