"""Families of models: who made one, and whether its weights can be had.

Only what a name tells; prices are in the price book.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made a model."""

    provider: str | None
    """The provider id of the maker's own API, where it has one that bills."""
    open_weights: bool


# Pattern of the bare name -> (maker's provider id, open weights). The first that matches holds,
# so the closed members of an open family come before it.
_FAMILIES: Final = tuple(
    (re.compile(pattern), Maker(provider, open_weights))
    for pattern, provider, open_weights in (
        (r"gpt-?oss|whisper-(?!1$)", "openai", True),
        (
            (
                r"(?:chat)?gpt-?[0-9i]|o[1-9](?:$|[-.])|text-embedding-(?:3|ada)|davinci|babbage"
                r"|whisper-1$|dall-?e|tts-|gpt-image|sora|codex|computer-use|omni-moderation"
            ),
            "openai",
            False,
        ),
        (r"claude", "anthropic", False),
        (r"gemma|codegemma|medgemma|embeddinggemma|paligemma|shieldgemma", "google", True),
        (
            r"gemini|text-bison|chat-bison|imagen|veo-|text-embedding-0|textembedding-gecko",
            "google",
            False,
        ),
        (
            (
                r"(?:open-)?mixtral|(?:open-)?mistral-(?:7b|nemo|small-.*(?:instruct|base))"
                r"|mistral-nemo|open-mi[sx]t|ministral-\d+b-(?:instruct|base|\d{4}-)|devstral-small"
                r"|mamba-codestral|codestral-22b|magistral-small|pixtral-12b|mathstral|voxtral"
                r"|mistral-large-(?:instruct|3-)|zephyr|.*\bmistral-7b"
            ),
            "mistral",
            True,
        ),
        (r"mi[sx]tral|ministral|codestral|devstral|magistral|pixtral", "mistral", False),
        (r"(?:meta-)?(?:code)?llama|llava|vicuna|alpaca|.*\bllama-?[1-9]", "meta", True),
        (
            r"qwen-(?:max|plus|turbo|long|vl-max|vl-plus)|qwen\d?(?:\.\d)?-max|qwen3-coder-plus",
            None,
            False,
        ),
        (r"qwen|qwq|qvq|gte-|.*\bqwen", None, True),
        (r"deepseek|.*\bdeepseek", "deepseek", True),
        (r"phi[-_]?\d|.*orca", None, True),
        (r"kimi|moonshot", "moonshotai", True),
        (r"glm-|chatglm", "zai", True),
        (r"minimax", "minimax", True),
        (r"c4ai-|aya-", "cohere", True),
        (r"command|embed-(?:english|multilingual|v)|rerank-", "cohere", False),
        (r"grok-[12]$", "x-ai", True),
        (r"grok", "x-ai", False),
        (r"sonar|pplx", "perplexity", False),
        (r"voyage", "voyageai", False),
        (r"nova-|titan|amazon\.", "aws", False),
        (
            (
                r"yi-|falcon|gpt-j|gpt-neo|starcoder|granite|olmo|nemotron|smol|bge-|e5-|nomic-embed"
                r"|all-minilm|mxbai|jina|solar|dbrx|exaone|internlm|baichuan|bloom|mpt-|hermes"
                r"|openchat|stable|flux|seed-oss|ernie-4\.5|hunyuan|stella"
            ),
            None,
            True,
        ),
    )
)
# Regions and makers that Bedrock puts before a model: "eu.anthropic.claude-sonnet-4-5-v1:0"; lists
# of prices have "regional." for those without.
_BEDROCK: Final = re.compile(
    r"(?:(?:us|eu|apac|jp|au|ca|global|regional|us-gov)\.)?"
    r"(?:anthropic|meta|mistral|amazon|cohere|ai21|deepseek|qwen|openai|google|nvidia|moonshot(?:ai)?|minimax|zai)\."
    r"(?=[a-z])"
)


def bare_name(model: str) -> str:
    """A model's own name, lower case: no provider, organisation, region or path before it.

    >>> bare_name("groq/openai/gpt-oss-120b"), bare_name("eu.anthropic.claude-haiku-4-5-v1:0")
    ('gpt-oss-120b', 'claude-haiku-4-5-v1:0')
    """
    name = model.strip().rstrip("/").rsplit("/", 1)[-1].lower()
    return _BEDROCK.sub("", name, count=1)


def is_bedrocks(model: str | None) -> bool:
    """Whether a model is called as Amazon Bedrock calls it: ``us.anthropic.claude-...``."""
    return bool(_BEDROCK.match((model or "").strip().lower()))


def prefix_of(model: str | None) -> str | None:
    """What stands before the first slash of a model's name, if anything does."""
    head, slash, _ = (model or "").partition("/")
    return head.strip().lower() or None if slash else None


def maker_of(model: str | None) -> Maker | None:
    """Who made a model, as far as its name tells."""
    if not model:
        return None
    name = bare_name(model)
    return next((maker for pattern, maker in _FAMILIES if pattern.match(name)), None)
