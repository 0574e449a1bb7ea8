"""What secrets look like, wherever they turn up: keys of providers, tokens, passwords in addresses.

Nothing that looks like one is kept, logged or told. The shapes are what issuers say of theirs, and
what follows a name that says it is one (``password=…``). In RE2's syntax, without look-around, so
that Arrow can search thousands of texts for them at once; Python reads them alike.
Sources: the documented prefixes of each issuer, and those of GitHub's secret scanning partners.
"""

import re
from typing import Final

MARK: Final = "[secret]"
"""What stands in its place."""

# Of 12 characters and more, so that words stay.
_SHAPES: Final = (
    # Also as an address has it.
    r"-----BEGIN[A-Z0-9 +%]*PRIVATE[0-9 +%]*KEY-----[^-]*(?:-----END[A-Z0-9 +%]*KEY-----)?",
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?",
    (
        r"""(?i:\bauthorization)["'\\]*[ ]*[:=]+[ "'\\]*"""
        r"""(?i:(?:basic|bearer|token|digest|apikey|aws4-hmac-sha256)[ ]+[^\s"'\\\[\]]{6,})"""
    ),
    r"""(?i:\bauthorization)["'\\]*[ ]*[:=]+[ "'\\]*[^\s"'\\\[\]]{8,}""",
    r"(?i:\bbearer[ :=]+)[A-Za-z0-9._~+/=-]{6,}",
    r"(?i:\bbasic[ ]+)[A-Za-z0-9+/]{8,}={1,2}",
    r"(?:\b|_)(?:sk|pk|rk)-[A-Za-z0-9_-]{12,}",
    r"(?:\b|_)(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{8,}",
    r"(?:\b|_)sl_(?:ingest|read|admin)_[A-Za-z0-9]{12,}",
    r"(?:\b|_)(?:AKIA|ASIA)[A-Z0-9]{12,}",
    r"(?:\b|_)xox[abeoprs]-[A-Za-z0-9-]{8,}",
    r"(?:\b|_)xapp-[A-Za-z0-9-]{8,}",
    r"(?:\b|_)gh[oprsu]_[A-Za-z0-9]{12,}",
    r"(?:\b|_)github_pat_[A-Za-z0-9_]{12,}",
    r"(?:\b|_)glpat-[A-Za-z0-9_-]{12,}",
    r"(?:\b|_)hf_[A-Za-z0-9]{16,}",
    r"(?:\b|_)gsk_[A-Za-z0-9]{16,}",
    r"(?:\b|_)(?:xai|pplx|nvapi|tvly|dapi|lsv2_pt|lsv2_sk|whsec|r8|fw)[_-][A-Za-z0-9_-]{20,}",
    r"(?:\b|_)AIza[A-Za-z0-9_-]{20,}",
    r"(?:\b|_)ya29\.[A-Za-z0-9_-]{12,}",
    r"(?:\b|_)npm_[A-Za-z0-9]{20,}",
    r"(?:\b|_)pypi-[A-Za-z0-9_-]{16,}",
    r"(?:\b|_)SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"(?i:\bhooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers))/[A-Za-z0-9/_-]+",
    r"(?i:\bdiscord(?:app)?\.com/api/webhooks)/[A-Za-z0-9/_-]+",
    # user:password@ in an address; of databases also where the password has slashes in it.
    r"://[^/@\s:]*:[^/\s]+@",
    (
        r"(?i:\b(?:postgres(?:ql)?|mysql|mariadb|mssql|rediss?|mongodb(?:[+]srv)?|amqps?|clickhouse"
        r"|snowflake))(?:[+][a-z0-9]+)?://[^@\s:/]*:[^\s]+@"
    ),
    # A name that says what follows it.
    (
        r"(?i:(?:\b|_)(?:api[_-]?key|access[_-]?key|account[_-]?key|shared[_-]?access[_-]?key"
        r"|subscription[_-]?key|secret[_-]?access[_-]?key|secret[_-]?key|client[_-]?secret"
        r"|(?:access|auth|refresh|id|session|security)[_-]?token|password|passwd|pwd|sig))"
        r"""["'\\]*[ ]*[:=]+[ "'\\]*[^\s"'\\&;,\[\]{}]{6,}"""
    ),
    r"""(?i:(?:\b|_)(?:token|secret))["'\\]*[ ]*[:=]+[ "'\\]*[A-Za-z0-9_.~+/=-]{16,}""",
    r"(?i:\bcookie)[ ]*[:=][ ]*[^\s\[\]]{6,}",
)
SHAPES: Final = "|".join(_SHAPES)
HINTS: Final = (
    "PRIVATE|eyJ|sk-|pk-|rk-|_live_|_test_|sl_|AKIA|ASIA|xox|xapp-|gh[oprsu]_|github_pat_"
    "|glpat-|hf_|gsk_|xai|pplx|nvapi|tvly|dapi|lsv2|whsec|r8[_-]|fw[_-]|AIza|ya29|npm_|pypi-|SG[.]"
    "|@|(?i:bearer|basic |slack|discord"
    "|(?:key|secret|token|passwd|password|pwd|sig|authorization|cookie)"
    """["'\\\\ ]*[:=])"""
)
"""What every one of them has in it: searched for first, as most texts have none. RE2's syntax."""

_SECRET: Final = re.compile(SHAPES)
# The same as HINTS, for one long text: to look for each of them is ten times as fast here.
_LITERALS: Final = (
    *("private", "eyj", "bearer", "basic ", "hooks.slack", "discord", "sk-", "pk-", "rk-"),
    *("_live_", "_test_", "sl_", "akia", "asia", "xox", "xapp-", "gho_", "ghp_", "ghr_", "ghs_"),
    *("ghu_", "github_pat_", "glpat-", "hf_", "gsk_", "xai", "pplx", "nvapi", "tvly", "dapi"),
    *("lsv2", "whsec", "r8_", "r8-", "fw_", "fw-", "aiza", "ya29", "npm_", "pypi-", "sg.", "://"),
)
_SAYS: Final = re.compile("[:=]")
_NAMED: Final = (
    *("key", "secret", "token", "passwd", "password", "pwd", "sig", "authorization", "cookie"),
)
_LONGEST_NAME: Final = 24


def may_hold_one(text: str) -> bool:
    """Whether it is worth to look for a secret in a text."""
    low = text.lower()
    if any(each in low for each in _LITERALS):
        return True
    return any(
        low[max(0, at.start() - _LONGEST_NAME) : at.start()].rstrip("\"'\\ =:").endswith(_NAMED)
        for at in _SAYS.finditer(low)
    )


def has_secret(text: str) -> bool:
    """Whether something in a text looks like a secret."""
    return may_hold_one(text) and _SECRET.search(text) is not None


def without_secrets(text: str) -> str:
    """The text with MARK in the place of what looks like a secret."""
    return _SECRET.sub(MARK, text) if may_hold_one(text) else text
