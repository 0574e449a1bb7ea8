"""Signing in through the organisation's identity provider: there, and back."""

from typing import Final, cast

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.dependencies import Clock, Config, Tenant, Writing, knocks_of
from api.knocks import address_of
from api.oidc import journey
from api.oidc.arrival import answered, arrived
from api.oidc.client import ProviderFailed
from api.oidc.journey import SECONDS
from api.oidc.provider import Provider
from api.origins import over_https
from api.pages import browser_session
from api.pages.sign_in import Back, asks, ours
from api.problems import Problem
from api.session_cookie import bound_name
from api.settings import ApiSettings
from spend.access.actors import Actor
from store import audit
from store.access import people

router = APIRouter(include_in_schema=False)

START: Final = "/sign-in/provider"
CALLBACK: Final = "/sign-in/callback"
COOKIE: Final = "spanledger_signing_in"

log = structlog.get_logger(__name__)


@router.get(START)
def start(request: Request, config: Config, clock: Clock, back: Back = "/") -> Response:
    """Sends the browser to the provider."""
    provider = _provider(request)
    begun = journey.begun(ours(back), clock())
    try:
        with provider.turn():
            to = journey.address(begun, provider, config.pages_url + CALLBACK)
    except ProviderFailed as failed:
        return _failed(request, config, ours(back), failed)
    answer = RedirectResponse(to, status_code=303, headers={"Cache-Control": "no-store"})
    answer.set_cookie(
        bound_name(request, COOKIE),
        journey.sealed(begun, config.seal),
        max_age=SECONDS,
        httponly=True,
        # The way back is a link on the provider's page: strict ones would stay behind.
        samesite="lax",
        secure=over_https(request),
    )
    return answer


@router.get(CALLBACK)
def come_back(
    request: Request, session: Writing, tenant: Tenant, config: Config, clock: Clock
) -> Response:
    """Takes what the provider says of whoever comes back, and signs the browser in."""
    provider, now, address = _provider(request), clock(), address_of(request)
    knocks_of(request).admit(address)
    said = request.query_params
    cookie = request.cookies.get(bound_name(request, COOKIE))
    begun = journey.opened(cookie, config.seal, now)
    if begun is None or not journey.is_of(begun, said.get("state", "")):
        why = (
            "This browser did not begin to sign in here, or more than ten minutes ago."
            f" Begin again at {config.pages_url}."
        )
        return _over(request, asks(request, config, "/", refused=why, status=400))
    try:
        with provider.turn():
            code = answered(provider, said)
            arrival = arrived(provider, begun, code, config.pages_url + CALLBACK, now)
    except ProviderFailed as failed:
        knocks_of(request).told(address, begun.state, good=False)
        return _over(request, _failed(request, config, begun.back, failed))
    request.state.actor = Actor("person", arrival.name, None, address)
    person = people.signed_in(
        session,
        tenant,
        issuer=arrival.issuer,
        subject=arrival.subject,
        email=arrival.email,
        name=arrival.name,
        claimed=arrival.roles,
        now=now,
    )
    request.state.actor = Actor("person", person.name, str(person.id), address)
    did = "signed in" if person.barred_at is None else "was kept out"
    audit.note(session, tenant, did=did, noun="person", noun_id=person.id, name=person.name)
    if person.barred_at is not None:
        why = "You may not come in here. Ask whoever administers spanledger."
        return _over(request, asks(request, config, "/", refused=why, status=403))
    answer = RedirectResponse(begun.back, status_code=303)
    browser_session.sign_in(request, answer, session, tenant, config, now, person_id=person.id)
    return _over(request, answer)


def _provider(request: Request) -> Provider:
    found = request.app.state.provider
    if found is None:
        detail = "Nobody signs in through a provider here: show a key."
        raise Problem(404, "No identity provider", detail)
    return cast("Provider", found)


def _over(request: Request, answer: Response) -> Response:
    """An attempt is over, however it ended: its state is good for one answer."""
    answer.delete_cookie(
        bound_name(request, COOKIE), httponly=True, samesite="lax", secure=over_https(request)
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _failed(request: Request, config: ApiSettings, back: str, failed: ProviderFailed) -> Response:
    # Why, the log says: what a provider answers may hold anything.
    log.warning("signing in through the provider failed", why=str(failed))
    why = "Signing in there did not work. Try again; if it stays so, the log of the API says why."
    return asks(request, config, back, refused=why, status=502)
