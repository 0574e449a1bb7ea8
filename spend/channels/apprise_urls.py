"""Which URLs of Apprise may be saved: those that cannot lead into our own network.

Apprise resolves names and connects by itself, so nothing holds it to an address that was looked
at. What is let through is what goes to a service's own host, whatever else the URL says. Read in
the plugins of Apprise 2.2.0.
"""

import re
from typing import Final
from urllib.parse import unquote

from spend.channels.destinations import LONGEST, DestinationRefused

FIXED: Final = frozenset(
    {
        "discord",
        "firehydrant",
        "gchat",
        "ilert",
        "incidentio",
        "opsgenie",
        "pagerduty",
        "pover",
        "signl4",
        "spike",
        "splunk",
        "squadcast",
        "tgram",
        "twilio",
        "victorops",
        "webex",
        "wxteams",
    }
)
"""Services whose host is written into their plugin."""

# Microsoft's own names, under which nobody else makes others: Power Automate, and with it Teams.
_MICROSOFT: Final = re.compile(
    r"(workflows?|https)://[a-z0-9.-]+\.(logic\.azure\.com|api\.powerplatform\.com)(:443)?/[!-~]*",
    re.IGNORECASE,
)
_SCHEME: Final = re.compile(r"([a-z0-9]+)://[!-~]+", re.IGNORECASE)
_PARAMETERS: Final = frozenset(
    {
        "alias",
        "api-version",
        "class",
        "entity",
        "expire",
        "group",
        "id",
        "image",
        "pa",
        "powerautomate",
        "priority",
        "region",
        "retry",
        "route",
        "routeid",
        "severity",
        "sig",
        "signature",
        "silent",
        "sound",
        "sp",
        "sv",
        "tags",
        "thread",
        "topic",
        "ver",
        "wrap",
    }
)
"""None of them names a file, a host, or what is checked of one."""


def check_apprise_url(url: str, *, allow_private: bool) -> None:
    """Refuses (DestinationRefused) a URL of Apprise that may lead somewhere else than it says.

    With ``allow_private`` every service passes; files that a URL could name never do.
    """
    scheme = _SCHEME.fullmatch(url)
    if len(url) > LONGEST or scheme is None or re.search(r"[\\#]", url):
        raise DestinationRefused("this is no URL of Apprise such as discord://ID/TOKEN")
    # As Apprise takes them apart, which knows the semicolon.
    for each in re.split("[&;]", url.partition("?")[2]):
        name = unquote(each.partition("=")[0])
        if name and name.lower() not in _PARAMETERS:
            raise DestinationRefused(f"the parameter {name[:40]!r} is not let through")
    known = scheme[1].lower() in FIXED or _MICROSOFT.fullmatch(url)
    if not known and not allow_private:
        services = ", ".join(sorted(FIXED))
        raise DestinationRefused(
            f"{scheme[1].lower()}:// may lead into our own network; let through are {services}, "
            "and workflows of logic.azure.com and api.powerplatform.com"
        )
