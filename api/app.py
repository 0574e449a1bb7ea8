"""The API, put together: one router a noun."""

from importlib.metadata import version

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware

from api import contract, problems
from api.access import audit, people
from api.alerts import alert_rules, alerts, rule_trial, silences
from api.auth import asker_of, changing
from api.body_limit import BodyLimit
from api.budgets import budget_check, budget_forecast, budgets
from api.budgets.budget_board import Boards
from api.calls import call_content, calls, content
from api.capacity import economics, pools, what_if
from api.channels import channels
from api.commitments import commitments
from api.dependencies import Now
from api.head import Head
from api.knocks import Knocks
from api.metrics import health, metrics
from api.months import months
from api.no_secrets import no_secrets
from api.oidc.provider import Provider
from api.ownership import ownership, ownership_preview
from api.pages import api_docs, assets, problem_page, sign_in, sign_in_provider
from api.pages.alerts import alert_list, alert_page, delivery_list, rule_list, silence_list
from api.pages.budgets import budget_form, budget_list, budget_page
from api.pages.capacity import (
    commitments_page,
    pool_costs,
    pool_hours,
    pool_list,
    pool_page,
    what_if_page,
)
from api.pages.explore import call_list, explore_page
from api.pages.months import month_closing, month_list
from api.pages.overview import overview_page
from api.pages.performance import frontier, performance_page, side_by_side
from api.pages.prices import (
    exchange_rates,
    model_list,
    model_page,
    price_book,
    price_discounts,
    price_discrepancies,
    repricing_list,
    unpriced_models,
    unpriced_price,
)
from api.pages.reconciliation import bill_list, bill_variance, true_up
from api.pages.settings import (
    about,
    audit_list,
    channel_list,
    content_terms,
    keys,
    owner_editor,
    owner_rules,
    people_list,
    preferences,
    system,
)
from api.pages.teams import team_list, team_statement
from api.pages.traces import call_page, trace_list, trace_page
from api.pages.visitor import ZoneInAddress, to_the_zone
from api.parameters import known_parameters_only
from api.prices import discounts, price_comparison, prices, rates, repricings
from api.proxies import TrustedProxies
from api.reading import Positions
from api.reconciliation import bills, reconciliation
from api.settings import ApiSettings
from api.spending import charges, performance, spend
from api.statements import focus, statements
from spend.access.roles import Permission
from store.access.refused_keys import RefusalLog
from store.postgres.replica import Replica
from store.postgres.sessions import Database
from store.tenants import TENANT

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes. A price file of 20,000 lines fits."""

NOUNS = (
    (spend, None),
    (charges, None),
    (performance, None),
    (calls, None),
    (statements, None),
    (months, Permission.MONEY),
    (focus, None),
    (budgets, Permission.BUDGETS),
    (budget_forecast, None),
    (alert_rules, Permission.BUDGETS),
    (alerts, Permission.BUDGETS),
    (channels, Permission.SETTINGS),
    (silences, Permission.BUDGETS),
    (prices, Permission.MONEY),
    (price_comparison, None),
    (rates, Permission.MONEY),
    (repricings, Permission.MONEY),
    (discounts, Permission.MONEY),
    (pools, Permission.MONEY),
    (economics, None),
    (commitments, Permission.MONEY),
    (bills, Permission.MONEY),
    (reconciliation, Permission.MONEY),
    (ownership, Permission.MONEY),
    (people, Permission.SETTINGS),
    (audit, None),
    (content, Permission.SETTINGS),
    (call_content, None),
)
"""A router each, and the permission that it takes to change something there; None: nothing is."""

KEPT_TO = (Depends(known_parameters_only), Depends(no_secrets))
"""What every request of theirs is held to."""

PAGES = (
    overview_page,
    call_list,
    explore_page,
    performance_page,
    frontier,
    side_by_side,
    call_page,
    trace_page,
    trace_list,
    team_statement,
    team_list,
    month_list,
    month_closing,
    bill_list,
    bill_variance,
    true_up,
    budget_list,
    budget_page,
    budget_form,
    alert_list,
    alert_page,
    delivery_list,
    rule_list,
    silence_list,
    model_page,
    model_list,
    price_book,
    price_discounts,
    price_discrepancies,
    exchange_rates,
    repricing_list,
    unpriced_models,
    unpriced_price,
    pool_list,
    pool_page,
    pool_hours,
    pool_costs,
    what_if_page,
    commitments_page,
    preferences,
    keys,
    people_list,
    audit_list,
    about,
    system,
    channel_list,
    content_terms,
    owner_editor,
    owner_rules,
    api_docs,
    assets,
    sign_in,
    sign_in_provider,
)
"""What people look at; each page asks who looks (``api/pages/visitor.py``)."""

QUESTIONS = (what_if, ownership_preview, rule_trial)
"""They ask, with a body: nothing is written, so a read key will do."""


def create_app(
    database: Database, settings: ApiSettings, clock: Now, replica: Replica | None = None
) -> FastAPI:
    """An ASGI application that answers from ``database``, or from its ``replica`` where that does.

    ``clock`` gives the present moment in UTC: what "now" means to every request.
    """
    app = FastAPI(
        title="spanledger",
        summary="Who spent what on models, and how each number came about.",
        version=version("spanledger"),
        # The default pages load their scripts from a CDN.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # FastAPI would tell addresses and queries, which name teams, to wherever an application's
        # variables in the same shell say: to us, mostly. Our own traces are app/telemetry/.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.database = database
    app.state.replica = replica
    app.state.settings = settings
    app.state.clock = clock
    app.state.knocks = Knocks()
    app.state.refusals = RefusalLog()
    app.state.provider = None if settings.oidc is None else Provider(settings.oidc)
    problems.install(app, problem_page.shows)
    app.add_exception_handler(ZoneInAddress, to_the_zone)
    _pass_through(app, settings, replica)
    app.state.boards = Boards(database, TENANT)
    app.include_router(health.router)
    app.include_router(metrics.router)
    # Before the budgets, whose ids it would be taken for; it asks for the key itself, from memory.
    app.include_router(budget_check.router, dependencies=[Depends(known_parameters_only)])
    for noun, permission in NOUNS:
        app.include_router(
            noun.router,
            dependencies=[Depends(changing(permission)), *KEPT_TO],
        )
    for question in QUESTIONS:
        app.include_router(
            question.router, dependencies=[Depends(asker_of), Depends(known_parameters_only)]
        )
    # Last: routes are put together when they are first passed, and the API's answer programs.
    for shown in PAGES:
        app.include_router(shown.router)
    contract.describe(app)
    return app


def _pass_through(app: FastAPI, settings: ApiSettings, replica: Replica | None) -> None:
    """What requests go through on their way to the routes: the last that is added, first."""
    database: Database = app.state.database
    metrics.count(app, database, app.state.clock)
    if replica is not None:
        app.add_middleware(Positions, primary=database, most_behind=replica.most_behind)
    app.add_middleware(BodyLimit, most=LARGEST_BODY, shows=problem_page.shows)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(Head)
    # Everything but what only counts sees where a request came from.
    app.add_middleware(TrustedProxies, trusted=settings.trusted_proxies)
    metrics.count_all(app)
