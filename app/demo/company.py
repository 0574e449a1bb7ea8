"""Who the simulated company is: its teams, what they run, on which models, and how often.

Names are made up and volumes are toy sized: a few calls stand in for what would be thousands.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from app.demo.models import (
    BRAND_VOICE,
    EMBEDDING,
    GEMINI,
    GEMINI_PRO,
    GPT,
    GPT_MINI,
    GPT_OLD,
    GPT_OSS,
    HAIKU,
    LLAMA,
    MISTRAL_LARGE,
    MISTRAL_SMALL,
    OPUS,
    SONNET,
    Model,
)


class Rhythm(Enum):
    """When a workload runs, in UTC: its weight in each hour of a working day, and at weekends."""

    OFFICE = (
        (1, 1, 1, 1, 1, 2, 6, 20, 40, 48, 50, 44, 36, 46, 50, 48, 42, 32, 20, 12, 6, 4, 2, 1),
        0.12,
    )
    SHOPPERS = (
        (14, 9, 6, 5, 5, 7, 12, 20, 28, 32, 34, 38, 40, 36, 33, 33, 36, 42, 50, 54, 50, 42, 30, 20),
        1.25,
    )
    NIGHTLY = ((0, 30, 40, 30, *([0] * 20)), 1.0)


class Speaks(Enum):
    """The instrumentation that a service uses (app/demo/dialects.py writes its spans)."""

    OTEL_GENAI = "OpenTelemetry GenAI, current conventions"
    OTEL_OPENAI_V2 = "OpenTelemetry openai-v2, conventions of 1.30"
    OPENINFERENCE = "OpenInference"
    OPENLLMETRY = "OpenLLMetry 0.62"
    OPENLLMETRY_OLD = "OpenLLMetry 0.40"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One thing that a service does with models, and how often."""

    service: str
    team: str | None
    """None: nobody has set one, so nobody pays until somebody claims it."""
    project: str
    models: tuple[tuple[Model, float], ...]
    """What it calls, and with which weight."""
    speaks: Speaks
    rhythm: Rhythm
    per_working_day: float
    """Exchanges at scale 1; an exchange is one call, or one run of an agent."""
    prompt_tokens: int
    """Median of a call's prompt, caches included."""
    output_tokens: int
    features: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    environment: str = "prod"
    team_by_namespace: bool = False
    """Its team is told by service.namespace only."""
    cached_share: float = 0.0
    """Of the prompt, on average, where the model caches."""
    streams: bool = False
    embeds: bool = False
    agent: str | None = None
    """Name of the agent whose span repeats the usage of the calls beneath it."""
    twice: bool = False
    """The vendor's library reports the call too, beneath the instrumentation's span."""
    faults: float = 0.012
    """Share of calls that fail, on a normal day."""


SHOPS: Final = ("acme", "globex", "initech", "umbrella", "hooli", "vehement")
"""The company's own customers, largest first."""

WORKLOADS: Final = (
    Workload(
        service="search-api",
        team="search",
        project="catalogue",
        models=((GPT_MINI, 1),),
        speaks=Speaks.OTEL_GENAI,
        rhythm=Rhythm.SHOPPERS,
        per_working_day=360,
        prompt_tokens=7_500,
        output_tokens=320,
        features=("rewrite", "rerank", "answer"),
        customers=SHOPS,
        cached_share=0.5,
        streams=True,
    ),
    Workload(
        service="search-indexer",
        team="search",
        project="catalogue",
        models=((EMBEDDING, 1),),
        speaks=Speaks.OTEL_GENAI,
        rhythm=Rhythm.NIGHTLY,
        per_working_day=80,
        prompt_tokens=60_000,
        output_tokens=0,
        features=("index",),
        embeds=True,
    ),
    Workload(
        service="support-chat",
        team="support",
        project="helpdesk",
        models=((HAIKU, 7), (SONNET, 3)),
        speaks=Speaks.OTEL_GENAI,
        rhythm=Rhythm.SHOPPERS,
        per_working_day=170,
        prompt_tokens=16_000,
        output_tokens=420,
        features=("chat", "refunds"),
        customers=SHOPS,
        cached_share=0.7,
        streams=True,
        twice=True,
    ),
    Workload(
        service="support-summaries",
        team="support",
        project="helpdesk",
        models=((LLAMA, 1),),
        speaks=Speaks.OPENLLMETRY,
        rhythm=Rhythm.OFFICE,
        per_working_day=150,
        prompt_tokens=7_500,
        output_tokens=1_500,
        features=("summary",),
        customers=SHOPS,
        faults=0.02,
    ),
    Workload(
        service="checkout-svc",
        team="checkout",
        project="payments",
        models=((GPT_OLD, 1),),
        speaks=Speaks.OTEL_OPENAI_V2,
        rhythm=Rhythm.SHOPPERS,
        per_working_day=150,
        prompt_tokens=6_000,
        output_tokens=400,
        features=("fraud-note", "address"),
        customers=SHOPS,
        team_by_namespace=True,
    ),
    Workload(
        service="catalogue-translate",
        team="growth",
        project="campaigns",
        models=((MISTRAL_SMALL, 1),),
        speaks=Speaks.OTEL_GENAI,
        rhythm=Rhythm.OFFICE,
        per_working_day=110,
        prompt_tokens=30_000,
        output_tokens=8_000,
        features=("translate",),
        customers=SHOPS,
    ),
    Workload(
        service="copywriter",
        team="growth",
        project="campaigns",
        models=((MISTRAL_LARGE, 4), (GEMINI, 4), (GPT_OSS, 3), (BRAND_VOICE, 2)),
        speaks=Speaks.OPENLLMETRY_OLD,
        rhythm=Rhythm.OFFICE,
        per_working_day=120,
        prompt_tokens=9_000,
        output_tokens=1_800,
        features=("mail", "landing-page", "ads"),
        customers=SHOPS[:3],
    ),
    Workload(
        service="deep-research",
        team="research",
        project="market-watch",
        models=((OPUS, 3), (GEMINI_PRO, 2)),
        speaks=Speaks.OPENINFERENCE,
        rhythm=Rhythm.OFFICE,
        per_working_day=34,
        prompt_tokens=90_000,
        output_tokens=3_000,
        features=("report", "due-diligence"),
        agent="researcher",
    ),
    Workload(
        service="code-assistant",
        team="platform",
        project="developer-tools",
        models=((GPT, 1),),
        speaks=Speaks.OTEL_GENAI,
        rhythm=Rhythm.OFFICE,
        per_working_day=50,
        prompt_tokens=30_000,
        output_tokens=1_400,
        features=("review", "test-writer"),
        streams=True,
        agent="code-assistant",
    ),
    Workload(
        service="evals",
        team="platform",
        project="developer-tools",
        models=((LLAMA, 2), (GPT_OSS, 3)),
        speaks=Speaks.OPENLLMETRY,
        rhythm=Rhythm.NIGHTLY,
        per_working_day=180,
        prompt_tokens=3_500,
        output_tokens=2_400,
        features=("nightly-evals",),
        environment="staging",
    ),
    Workload(
        service="nightly-report",
        team=None,
        project="reports",
        models=((GPT_MINI, 1),),
        speaks=Speaks.OTEL_OPENAI_V2,
        rhythm=Rhythm.NIGHTLY,
        per_working_day=45,
        prompt_tokens=24_000,
        output_tokens=2_500,
    ),
)
