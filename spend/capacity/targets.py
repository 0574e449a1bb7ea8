"""What traffic is held against: a model of a provider, as people name it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from spend import money
from spend.calls import Route
from spend.capacity.economics import Use
from spend.prices.prices import PriceBook
from spend.prices.rating import REQUESTS, rates
from spend.providers import provider_named


@dataclass(frozen=True, slots=True)
class ApiTarget:
    """A model at a provider that bills by usage."""

    provider: str
    model: str
    region: str | None = None
    service_tier: str | None = None

    @property
    def name(self) -> str:
        """As it was named: ``groq/openai/gpt-oss-120b``."""
        return f"{self.provider}/{self.model}"

    @property
    def route(self) -> Route:
        """What a call of it would have as its route."""
        return Route(
            provider=self.provider,
            model=self.model,
            deployment="api",
            region=self.region,
            service_tier=self.service_tier,
        )


class TargetRefusedError(ValueError):
    """It is not written as provider/model, or names nothing that a price is for."""

    def __init__(self, reason: str, target: ApiTarget | None = None) -> None:
        super().__init__(reason)
        self.target = target
        """None: it could not be read."""


def target_named(
    text: str, *, region: str | None = None, service_tier: str | None = None
) -> ApiTarget:
    """``provider/model`` as a target; the model may have slashes. TargetRefusedError."""
    named, _, model = text.strip().partition("/")
    if not named or not model or "\x00" in text:
        raise TargetRefusedError(f"{text[:100]!r} is not written as provider/model")
    provider = provider_named(named) or named
    return ApiTarget(provider, model, region or None, service_tier or None)


def asked_for(
    book: PriceBook, target: ApiTarget, by_band: Mapping[int, Use], at: datetime
) -> tuple[Decimal | None, str | None]:
    """What a target asks for what was done, by band, at the prices of ``at``; or None, and why."""
    amounts = []
    missing: dict[str, None] = {}
    for band, use in by_band.items():
        in_force = rates(book, target.route, band=band, at=at)
        charged = in_force.charge(dict(use.usage) | {REQUESTS: use.answered})
        if charged is None:
            used = in_force.quantities(use.usage)
            missing |= dict.fromkeys(meter for meter in used if meter not in in_force.lines)
        else:
            amounts += [line.amount for line in charged]
    if missing:
        return None, f"{target.name} has no price for: {', '.join(missing)}"
    return money.total(amounts), None
