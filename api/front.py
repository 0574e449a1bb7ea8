"""What a browser is shown: that it runs, how to send the first span, and what can be asked."""

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.dependencies import Clock, Config
from api.page import page
from api.settings import ApiSettings
from spend.periods import month_of

router = APIRouter(include_in_schema=False)


@router.get("/start")
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
<li><a href="/v1/budgets">budgets</a>, <a href="/v1/alerts">the alerts</a> that they raised, and
<a href="/channels">where these go</a></li>
<li><a href="/v1/prices/unpriced">what has no price</a></li>
<li><a href="/docs">everything that can be asked</a>, and as
<a href="/openapi.json">OpenAPI</a></li>
</ul>
<p class="lead">Once there are keys (<code>spanledger keys create</code>) every answer takes one,
which a browser does not send: <code>curl -H 'Authorization: Bearer KEY' …</code></p>
{_first_span(config)}"""
    return page("spanledger", body)


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
    return page("spanledger API", f"<h1>What can be asked</h1>{lead}{nouns}")


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
