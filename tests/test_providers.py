"""Who bills, and whether a model ran on our own machines, from what emitters say."""

import pytest

from spend.calls import Outcome
from spend.hosts import host_of, is_private
from spend.models import bare_name, maker_of
from spend.outcomes import outcome_of, status_told
from spend.providers import FRAMEWORKS, PROVIDERS, place_of_call, provider_named


@pytest.mark.parametrize(
    ("told", "model", "host", "provider", "deployment", "region"),
    [
        ("openai", "gpt-4o", "api.openai.com", "openai", "api", None),
        ("openai", "gpt-4o", "eu.api.openai.com", "openai", "api", "eu"),
        ("openai", "gpt-4o", None, "openai", "api", None),
        # A gateway or a stand-in may sit at a private host.
        ("openai", "gpt-4o", "127.0.0.1:4000", "openai", "api", None),
        ("anthropic", "claude-sonnet-4-5", "localhost:4000", "anthropic", "api", None),
        # The OpenAI client speaks to anything.
        ("openai", "openai/gpt-oss-120b", "10.0.0.5:8000", "self-hosted", "self-hosted", None),
        ("openai", "gpt-oss-120b", "api.groq.com", "groq", "hosted-open", None),
        ("openai", "llama-3.3-70b", "api.cerebras.ai", "cerebras", "hosted-open", None),
        (
            "openai",
            "meta-llama/Llama-3.1-8B-Instruct",
            "vllm.svc:80",
            "self-hosted",
            "self-hosted",
            None,
        ),
        ("openai", "meta-llama/Llama-3.1-8B-Instruct", None, None, None, None),
        ("openai", "openai/gpt-oss-120b", None, None, None, None),
        ("openai", "Qwen/Qwen3-32B", "llm.example.com", None, None, None),
        # Engines are our own, wherever they are.
        ("vllm", "openai/gpt-oss-120b", None, "vllm", "self-hosted", None),
        ("vllm", None, None, "vllm", "self-hosted", None),
        ("ollama", "llama3.1", "localhost:11434", "ollama", "self-hosted", None),
        (None, "ollama/llama3", None, "ollama", "self-hosted", None),
        ("openai", "hosted_vllm/mistral-7b", "10.1.1.1", "vllm", "self-hosted", None),
        # Hosts of open weights, and makers of them.
        ("groq", "openai/gpt-oss-120b", None, "groq", "hosted-open", None),
        ("groq", "llama-3.3-70b-versatile", "127.0.0.1:1", "groq", "hosted-open", None),
        (None, "groq/llama-3.3-70b-versatile", None, "groq", "hosted-open", None),
        (None, "together_ai/meta-llama/Llama-3-70b", None, "together", "hosted-open", None),
        ("mistral_ai", "mistral-large-latest", "api.mistral.ai", "mistral", "api", None),
        ("mistral_ai", "open-mistral-7b", "api.mistral.ai", "mistral", "api", None),
        ("mistral_ai", "open-mixtral-8x7b", None, "mistral", "api", None),
        ("mistral_ai", "mistral-7b-instruct", "10.0.0.9", "self-hosted", "self-hosted", None),
        ("deepseek", "deepseek-chat", None, "deepseek", "api", None),
        ("azure", "deepseek-r1", None, "azure", "hosted-open", None),
        ("aws.bedrock", "meta.llama3-70b-instruct-v1:0", None, "aws", "hosted-open", None),
        # Clouds that sell others' closed models.
        (
            "aws.bedrock",
            "eu.anthropic.claude-haiku-4-5-v1:0",
            "bedrock-runtime.eu-west-1.amazonaws.com",
            "aws",
            "api",
            "eu-west-1",
        ),
        (
            "anthropic",
            "claude-sonnet-4-5",
            "europe-west1-aiplatform.googleapis.com",
            "google",
            "api",
            "europe-west1",
        ),
        ("openai", "gpt-4o", "contoso.openai.azure.com", "azure", "api", None),
        # Frameworks are nobody.
        ("langchain", "claude-sonnet-4-5", None, "anthropic", "api", None),
        ("gcp.vertex.agent", "gemini-2.5-flash", None, "google", "api", None),
        ("litellm", "anthropic/claude-sonnet-4-5", None, "anthropic", "api", None),
        ("langchain", "our-own-model", None, None, None, None),
        (None, None, None, None, None, None),
        ("openrouter", "openai/gpt-4o", None, "openrouter", "api", None),
    ],
)
def test_where_a_call_went(
    told: str | None,
    model: str | None,
    host: str | None,
    provider: str | None,
    deployment: str | None,
    region: str | None,
) -> None:
    place = place_of_call(told=told, model=model, host=host)
    assert (place.provider, place.deployment, place.region) == (provider, deployment, region)


@pytest.mark.parametrize(
    ("told", "provider"),
    [
        ("OpenAI", "openai"),
        ("openai.chat", "openai"),
        ("openai.responses", "openai"),
        ("azure.ai.openai", "azure"),
        ("az.ai.inference", "azure"),
        ("anthropic.messages", "anthropic"),
        ("aws.bedrock", "aws"),
        ("AWS", "aws"),
        ("amazon-bedrock", "aws"),
        ("gcp.vertex_ai", "google"),
        ("gcp.gemini", "google"),
        ("google.generative-ai", "google"),
        ("google.vertex.chat", "google"),
        ("mistral_ai", "mistral"),
        ("x_ai", "x-ai"),
        ("xai.chat", "x-ai"),
        ("fireworks_ai", "fireworks"),
        ("together_ai", "together"),
        ("vLLM", "vllm"),
        ("llama.cpp", "llama.cpp"),
        ("something-else", None),
        ("", None),
        (None, None),
    ],
)
def test_a_provider_has_many_names(told: str | None, provider: str | None) -> None:
    assert provider_named(told) == provider


def test_no_framework_is_a_provider() -> None:
    assert not FRAMEWORKS & PROVIDERS
    assert all(provider_named(name) is None for name in FRAMEWORKS)


@pytest.mark.parametrize(
    ("address", "port", "host"),
    [
        ("API.OpenAI.com", 443, "api.openai.com"),
        ("https://user:pw@api.openai.com/v1/chat?key=1", None, "api.openai.com"),
        ("http://10.0.0.7:8000/v1", None, "10.0.0.7:8000"),
        ("10.0.0.7", 8000, "10.0.0.7:8000"),
        ("http://[::1]:8000/", None, "[::1]:8000"),
        ("::1", 8000, "[::1]:8000"),
        ("fd00::7", 443, "[fd00::7]"),
        ("localhost", 70000, "localhost"),
        ("http://[bad", None, None),
        ("host:port", None, None),
        ("a b", None, None),
        ("<script>", None, None),
        ("", None, None),
        (None, 80, None),
        ("x" * 300, None, None),
    ],
)
def test_a_host_is_read_from_whatever_an_emitter_calls_it(
    address: str | None, port: int | None, host: str | None
) -> None:
    assert host_of(address, port) == host


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1:80", True),
        ("[::1]:80", True),
        ("192.168.1.1", True),
        ("172.16.0.1", True),
        ("vllm", True),
        ("vllm.ai.svc.cluster.local", True),
        ("llm.corp", True),
        ("8.8.8.8", False),
        ("api.openai.com", False),
        ("llm.example.com", False),
    ],
)
def test_a_private_host_is_on_our_own_network(host: str, private: bool) -> None:
    assert is_private(host) is private


@pytest.mark.parametrize(
    ("model", "open_weights"),
    [
        ("gpt-4o", False),
        ("gpt-oss-120b", True),
        ("o3-mini", False),
        ("claude-sonnet-4-5", False),
        ("gemini-2.5-pro", False),
        ("gemma-3-27b-it", True),
        ("mistral-large-latest", False),
        ("mistralai/Mistral-Small-3.2-24B-Instruct-2506", True),
        ("mistral-small-latest", False),
        ("mistralai/Mistral-7B-Instruct-v0.3", True),
        ("open-mixtral-8x22b", True),
        ("Qwen/Qwen3-32B", True),
        ("qwen-max", False),
        ("deepseek-ai/DeepSeek-V3", True),
        ("meta-llama/Llama-3.3-70B-Instruct", True),
        ("microsoft/phi-4", True),
        ("grok-4", False),
        ("devstral-small-2505", True),
        ("whisper-1", False),
        ("text-embedding-3-small", False),
    ],
)
def test_a_models_name_tells_whether_its_weights_can_be_had(model: str, open_weights: bool) -> None:
    maker = maker_of(model)
    assert maker is not None
    assert maker.open_weights is open_weights


def test_a_model_without_its_prefixes() -> None:
    assert bare_name("groq/openai/gpt-oss-120b") == "gpt-oss-120b"
    assert bare_name("us.meta.llama3-70b-instruct-v1:0") == "llama3-70b-instruct-v1:0"
    assert maker_of("our-own") is None


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (429, None, Outcome.RATE_LIMITED),
        (503, None, Outcome.OVERLOADED),
        (529, "x", Outcome.OVERLOADED),
        (500, None, Outcome.SERVER_ERROR),
        (401, None, Outcome.DENIED),
        (403, None, Outcome.DENIED),
        (404, None, Outcome.BAD_REQUEST),
        (None, "429", Outcome.RATE_LIMITED),
        (None, "openai.RateLimitError", Outcome.RATE_LIMITED),
        (None, "rate_limit_error", Outcome.RATE_LIMITED),
        (None, "RESOURCE_EXHAUSTED", Outcome.RATE_LIMITED),
        (None, "overloaded_error", Outcome.OVERLOADED),
        (None, "APITimeoutError", Outcome.TIMEOUT),
        (None, "ConnectTimeout", Outcome.TIMEOUT),
        (None, "APIConnectionError", Outcome.UNREACHABLE),
        (None, "asyncio.CancelledError", Outcome.CANCELLED),
        (None, "AuthenticationError", Outcome.DENIED),
        (None, "openai.BadRequestError", Outcome.BAD_REQUEST),
        (None, "ThrottlingException", Outcome.RATE_LIMITED),
        (None, "InternalServerError", Outcome.SERVER_ERROR),
        (None, "_OTHER", Outcome.ERROR),
        (200, None, Outcome.ERROR),
        (None, None, Outcome.ERROR),
    ],
)
def test_a_failure_has_one_name(status: int | None, error: str | None, outcome: Outcome) -> None:
    assert outcome_of(failed=True, http_status=status, error_type=error) is outcome


def test_a_call_that_did_not_fail_is_ok() -> None:
    assert outcome_of(failed=False, http_status=200) is Outcome.OK
    assert outcome_of(failed=False, http_status=429) is Outcome.RATE_LIMITED


def test_a_status_is_found_in_a_message() -> None:
    assert status_told("Error code: 429 - {'error': ...}") == 429
    assert status_told("RateLimitError: 429 slow down") == 429
    assert status_told("received 500 tokens") is None


def test_a_provider_that_we_do_not_know_is_called_what_it_is_called() -> None:
    place = place_of_call(told="Acme-AI", model="gpt-4o")
    assert (place.provider, place.deployment) == ("acme-ai", "api"), "not sold by OpenAI"
    assert place_of_call(told="acme", model="llama-3.3-70b").deployment == "hosted-open"
    for framework in ("langchain", "unknown", "<script>", "two words"):
        assert place_of_call(told=framework, model="gpt-4o").provider == "openai"
