"""Neither content nor secrets are kept, wherever they stand in a span."""

import pytest
from spans import CHAT, START, Told, call, heard, request


def test_a_prompt_is_nowhere_in_what_is_kept() -> None:
    secret = "the quick brown fox"
    attributes = {
        "gen_ai.input.messages": secret,
        "gen_ai.prompt.0.content": secret,
        "gen_ai.output.messages": secret,
        "input.value": secret,
        "output.value": f'{{"id": "chatcmpl-9f86d081884c7d65", "text": "{secret}"}}',
        "gen_ai.tool.call.arguments": secret,
        "openinference.span.kind": "LLM",
    }
    event = (START, "exception", {"exception.type": "E", "exception.message": secret})
    understood = heard(
        request(Told(attributes={**CHAT, **attributes}, status=2, message=secret, events=[event]))
    )
    assert secret not in str(understood.sightings.to_pylist())
    assert secret not in str((understood.owners, understood.routes, understood.emitters))


SECRETS = [
    "sk-proj-abcdefghijklmnop1234",
    "sk-ant-api03-abcdefghijklmnop",
    "AKIAIOSFODNN7EXAMPLE",
    "xoxb-1234567890-abcdefghij",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefgh",
    "Bearer abcdefghijklmnop",
    "-----BEGIN RSA PRIVATE KEY----- abc",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "key",
    [
        "team",
        "gen_ai.request.model",
        "user.id",
        "session.id",
        "error.type",
        "server.address",
        "spanledger.customer",
        "gen_ai.response.id",
        "gen_ai.provider.name",
        "llm.finish_reason",
    ],
)
def test_a_secret_is_nowhere_in_what_is_kept(key: str, secret: str) -> None:
    understood = heard(
        request(
            call(attributes={key: f"x {secret} y"}, scope=f"a {secret}"), resource={key: secret}
        )
    )
    kept = str(
        (
            understood.sightings.to_pylist(),
            understood.owners,
            understood.routes,
            understood.emitters,
        )
    )
    assert secret not in kept
    assert secret.rsplit(" ", 1)[-1] not in kept


def test_a_control_character_does_not_hide_a_secret() -> None:
    hidden = "sk-proj-abc\x00defghijklmnop1234"
    understood = heard(
        request(call(attributes={"user.id": hidden}, scope=hidden), resource={"team": hidden})
    )
    kept = str((understood.sightings.to_pylist(), understood.owners, understood.emitters))
    assert "defghijklmnop1234" not in kept
