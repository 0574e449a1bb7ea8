"""The page on adding a dialect is true: its table loads, and understands its span."""

import json
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "adding-a-dialect.md"

# In a process of its own: the tables are put together when they are imported.
HEARD = """
import json, sys
import collector.dialects
table, attributes = json.load(sys.stdin)
names = {}
exec(table, names)
collector.dialects.DIALECTS += (names["ACME"],)
from spans import Told, heard, only, request
one = only(heard(request(Told(attributes=attributes, scope="acme.llm", version="1.4.0"))))
assert one.emitter.dialect == "acme" and "usage_conflict" not in one.details
print(json.dumps({
    "provider": one.route.provider,
    "model": one.route.model,
    "response_id": one.response_id,
    "ttft_us": one.ttft_us,
    "usage": dict(one.usage),
}))
"""


def test_the_example_is_understood_as_the_page_says() -> None:
    text = PAGE.read_text(encoding="utf-8")
    (table,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    span, call = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL))
    heard = subprocess.run(  # noqa: S603 - our own page
        [sys.executable, "-c", HEARD],
        input=json.dumps([table, span]),
        capture_output=True,
        text=True,
        check=False,
        cwd=PAGE.parent.parent,
        env={"PYTHONPATH": ".:tests", "PATH": ""},
    )
    assert heard.stderr == ""
    assert json.loads(heard.stdout) == call


ASKS = """
import collector.dialects
from collector.dialects.table import MEANINGS, Dialect, Meaning
for flag in MEANINGS:
    asked = Meaning("acme.*", given=f"acme.{flag}.given", where={f"acme.{flag}": frozenset({"x"})})
    collector.dialects.DIALECTS += (Dialect(flag, scopes=(f"acme.{flag}",), **{flag: (asked,)}),)
from spans import Told, heard, request
usage = {"gen_ai.operation.name": "chat", "gen_ai.usage.output_tokens": 5}
print(len(heard(request(Told(attributes=usage, scope="acme.llm"))).sightings))
"""


def test_what_a_meaning_asks_for_may_be_an_attribute_that_nobody_else_knows() -> None:
    heard = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", ASKS],
        capture_output=True,
        text=True,
        check=False,
        cwd=PAGE.parent.parent,
        env={"PYTHONPATH": ".:tests", "PATH": ""},
    )
    assert (heard.stderr, heard.stdout) == ("", "1\n")
