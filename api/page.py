"""The shell of every page: plain HTML that loads nothing, no scripts, no fonts, no other host."""

import base64
import hashlib
from html import escape
from typing import Final

from fastapi.responses import HTMLResponse

_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 50rem; padding: 2rem 1rem;
  color: #1c2430; background: #fff }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
ul { margin: .5rem 0; padding-left: 1.25rem } li { margin: .25rem 0 } p { margin: .75rem 0 }
a { color: #0b5fbf } code, pre { font: .875rem/1.5 ui-monospace, monospace }
pre { background: #f3f5f8; border-radius: 6px; overflow-x: auto; padding: .75rem 1rem }
dt { font: .875rem/1.5 ui-monospace, monospace; margin-top: .6rem } dd { margin: 0; color: #4a5666 }
.lead { color: #4a5666; margin-top: .25rem }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0;
  border-bottom: 1px solid #dde3ea } th { font-weight: 600; font-size: .875rem }
.small { color: #4a5666; font-size: .875rem } .bad { color: #b3261e } .good { color: #1b6e3c }
button { font: inherit; font-size: .875rem; padding: .3rem .75rem; border: 1px solid #0b5fbf;
  border-radius: 6px; background: #0b5fbf; color: #fff; cursor: pointer; white-space: nowrap }
button:focus-visible { outline: 3px solid #7db5ff; outline-offset: 2px }
@media (max-width: 40rem) { .wide thead { display: none } .wide tr, .wide td { display: block }
  .wide td { border: 0; padding: .1rem 0 } .wide tr { border-bottom: 1px solid #dde3ea;
  padding: .75rem 0 } }
@media (prefers-color-scheme: dark) {
  body { background: #12161c; color: #e6eaf0 } pre { background: #1d242d }
  a { color: #7db5ff } dd, .lead, .small { color: #a4b0bf }
  th, td, .wide tr { border-color: #2c3540 }
  .bad { color: #ff9a92 } .good { color: #7fd6a2 } }
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def page(title: str, body: str, *, forms: bool = False, status: int = 200) -> HTMLResponse:
    """A whole page. ``forms``: it has some, which are sent here."""
    target = "'self'" if forms else "'none'"
    headers = {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}';"
        f" base-uri 'none'; form-action {target}; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        # A form that is sent without a referrer has no origin either.
        "Referrer-Policy": "same-origin" if forms else "no-referrer",
    }
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body>{body}</body></html>
"""
    return HTMLResponse(text, status, headers=headers)
