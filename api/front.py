"""What a browser is shown: that it runs, how to send the first span, and what can be asked.

Plain HTML that loads nothing: no scripts, no fonts, no other host.
"""

import base64
import hashlib
from html import escape
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.dependencies import Clock, Config
from api.settings import ApiSettings
from spend.periods import month_of

router = APIRouter(include_in_schema=False)

_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 50rem; padding: 2rem 1rem;
  color: #1c2430; background: #fff }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
ul { margin: .5rem 0; padding-left: 1.25rem } li { margin: .25rem 0 } p { margin: .75rem 0 }
a { color: #0b5fbf } code, pre { font: .875rem/1.5 ui-monospace, monospace }
pre { background: #f3f5f8; border-radius: 6px; overflow-x: auto; padding: .75rem 1rem }
dt { font: .875rem/1.5 ui-monospace, monospace; margin-top: .6rem } dd { margin: 0; color: #4a5666 }
.lead { color: #4a5666; margin-top: .25rem }
@media (prefers-color-scheme: dark) {
  body { background: #12161c; color: #e6eaf0 } pre { background: #1d242d }
  a { color: #7db5ff } dd, .lead { color: #a4b0bf } }
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@router.get("/")
def front(config: Config, clock: Clock) -> HTMLResponse:
    """That it runs, and what to do first."""
    month = month_of(clock(), config.timezone)
    body = f"""
<h1>spanledger is running</h1>
<p class="lead">Who spent what on models, and how each number came about.</p>
<h2>Ask it</h2>
<ul>
<li><a href="/v1/spend?group_by=team,model">what was spent this month</a>, by team and model</li>
<li><a href="/v1/statements/{month}">this month for finance</a>, as
<a href="/v1/statements/{month}.pdf">PDF</a>, <a href="/v1/statements/{month}.xlsx">XLSX</a> or
<a href="/v1/statements/{month}.csv">CSV</a>, in the terminal: <code>spanledger report</code></li>
<li><a href="/v1/months">which months are closed</a>,
<a href="/v1/bills">what providers invoiced</a>, and
<a href="/v1/focus/{month}/cost-and-usage.csv">this month as FOCUS</a></li>
<li><a href="/v1/performance?group_by=model">how calls went</a>, by model</li>
<li><a href="/v1/calls">the latest calls</a></li>
<li><a href="/v1/budgets">budgets</a>, and <a href="/v1/alerts">the alerts</a> that they raised</li>
<li><a href="/v1/prices/unpriced">what has no price</a></li>
<li><a href="/docs">everything that can be asked</a>, and as
<a href="/openapi.json">OpenAPI</a></li>
</ul>
<p class="lead">Once there are keys (<code>spanledger keys create</code>) every answer takes one,
which a browser does not send: <code>curl -H 'Authorization: Bearer KEY' …</code></p>
{_first_span(config)}"""
    return _page("spanledger", body)


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """Every route and its parameters, from the contract."""
    contract: dict[str, Any] = request.app.openapi()
    by_noun: dict[str, list[str]] = {}
    for path, methods in contract["paths"].items():
        for method, route in methods.items():
            noun = route.get("tags", ["other"])[0]
            by_noun.setdefault(noun, []).append(_route(method, path, route))
    nouns = "".join(
        f"<h2>{escape(noun)}</h2><dl>{''.join(found)}</dl>" for noun, found in by_noun.items()
    )
    lead = (
        '<p class="lead">The same as <a href="/openapi.json">OpenAPI 3.1</a>, which describes every'
        ' parameter and answer. <a href="/">Where to begin</a>.</p>'
    )
    return _page("spanledger API", f"<h1>What can be asked</h1>{lead}{nouns}")


def _first_span(config: ApiSettings) -> str:
    if config.otlp_http_url is None:
        return ""
    url = escape(config.otlp_http_url)
    return f"""<h2>Send the first span</h2>
<p>An application that has OpenTelemetry needs to know where, and whose it is:</p>
<pre>OTEL_EXPORTER_OTLP_ENDPOINT={url}
OTEL_RESOURCE_ATTRIBUTES=team=search,service.name=search-api</pre>
<p>Any other Python application, two lines (<code>pip install ./sdk</code> in a checkout of
spanledger):</p>
<pre>import spanledger
spanledger.instrument(service="search-api", team="search")</pre>"""


def _route(method: str, path: str, route: dict[str, Any]) -> str:
    asked = ", ".join(each["name"] for each in route.get("parameters", ()) if each["in"] == "query")
    said = escape(route.get("summary", ""))
    if asked:
        said += f"<br><code>{escape(asked)}</code>"
    return f"<dt>{escape(method.upper())} {escape(path)}</dt><dd>{said}</dd>"


def _page(title: str, body: str) -> HTMLResponse:
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body>{body}</body></html>
"""
    return HTMLResponse(text, headers=_HEADERS)
