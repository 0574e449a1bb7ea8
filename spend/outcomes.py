"""How a call ended, from what emitters say of it: an HTTP status, an error's name, a message.

Emitters name the same failure in many ways (``openai.RateLimitError``, ``rate_limit_error``,
``429``, ``RESOURCE_EXHAUSTED``); finance and alerts want one.
"""

import re
from typing import Final

from spend.calls import Outcome

# Tried in this order on the error's last name, lower case, letters and digits only: a
# "connection timeout" is a timeout.
_NAMED: Final = (
    (("ratelimit", "toomanyrequests", "resourceexhausted", "throttl", "quota"), "RATE_LIMITED"),
    (("overloaded", "unavailable", "modelnotready", "capacity"), "OVERLOADED"),
    (("timeout", "timedout", "deadline"), "TIMEOUT"),
    (("cancel", "abort", "interrupted"), "CANCELLED"),
    (("connect", "dns", "socket", "unreachable", "gaierror", "sslerror", "network"), "UNREACHABLE"),
    (("authentic", "unauthorized", "permission", "forbidden", "accessdenied"), "DENIED"),
    (
        (
            "badrequest",
            "invalid",
            "validation",
            "notfound",
            "unprocessable",
            "conflict",
            "toolarge",
        ),
        "BAD_REQUEST",
    ),
    (("internal", "servererror", "apierror5"), "SERVER_ERROR"),
)
_OF_STATUS: Final = {
    401: Outcome.DENIED,
    403: Outcome.DENIED,
    429: Outcome.RATE_LIMITED,
    503: Outcome.OVERLOADED,
    529: Outcome.OVERLOADED,
}
_OF_CLASS: Final = {4: Outcome.BAD_REQUEST, 5: Outcome.SERVER_ERROR}
_TOLD_STATUS: Final = re.compile(
    r"(?:error code|status(?: code|_code)?|http(?:/[\d.]+)?)\D{0,3}\b([45]\d\d)\b"
    # botocore's "An error occurred (429)"; google-genai's "429 RESOURCE_EXHAUSTED. {...}" and
    # what JavaScript's clients say, "429 slow down", by itself or behind the error's name.
    r"|error occurred \(([45]\d\d)\)|^(?:\w*Error: )?([45]\d\d) \S",
    re.IGNORECASE,
)


def status_told(message: str) -> int | None:
    """The HTTP status that a message mentions ("Error code: 429 - ..."), if it does."""
    found = _TOLD_STATUS.search(message[:1000])
    return int(next(filter(None, found.groups()))) if found else None


# Names that say no more than that something went wrong.
_VAGUE: Final = frozenset({"exception", "error", "apierror", "clienterror", "runtimeerror"})
_TOLD_NAME: Final = re.compile(
    r"^(\w+(?:Error|Exception|Timeout))\(|error occurred \(([A-Za-z]\w+)\)", re.ASCII
)


def error_named(name: str, message: str) -> str:
    """An exception's name, or a better one that its message has where the name is vague.

    >>> error_named("Exception", "RateLimitError('slow down')")
    'RateLimitError'
    """
    if name.rsplit(".", 1)[-1].lower() not in _VAGUE:
        return name
    found = _TOLD_NAME.search(message[:1000])
    return next(filter(None, found.groups())) if found else name


def outcome_of(
    *, failed: bool, http_status: int | None = None, error_type: str | None = None
) -> Outcome:
    """How a call ended; ``failed`` is what the span's own status says.

    An HTTP status of 400 and above or an error's name mean failure, whatever the span's status.
    """
    if error_type and re.fullmatch(r"[45]\d\d", error_type):
        http_status, error_type = http_status or int(error_type), None
    if http_status is not None and http_status // 100 in _OF_CLASS:
        return _OF_STATUS.get(http_status, _OF_CLASS[http_status // 100])
    if error_type:
        return _outcome_named(error_type)
    return Outcome.ERROR if failed else Outcome.OK


def _outcome_named(error_type: str) -> Outcome:
    last = re.sub(r"[^a-z0-9]", "", error_type.rsplit(".", 1)[-1].lower())
    for words, outcome in _NAMED:
        if any(word in last for word in words):
            return Outcome[outcome]
    return Outcome.ERROR
