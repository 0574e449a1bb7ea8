"""All tools, in the order in which one would take them."""

from typing import Any, Final

from app.mcp.books import COMMITMENTS, MONTHS, RECONCILIATION
from app.mcp.budgets import ALERTS, BUDGETS, CHECK, FORECAST
from app.mcp.calls import CALLS, EXPLAIN_CALL
from app.mcp.performance import PERFORMANCE
from app.mcp.pools import ECONOMICS, POOLS, WHAT_IF
from app.mcp.prices import PRICES, UNPRICED
from app.mcp.spend import CHARGES, SPEND
from app.mcp.statements import STATEMENT, WHY
from app.mcp.tool import Tool

TOOLS: Final[dict[str, Tool[Any]]] = {
    tool.name: tool
    for tool in (
        SPEND,
        WHY,
        STATEMENT,
        PERFORMANCE,
        CALLS,
        EXPLAIN_CALL,
        CHARGES,
        BUDGETS,
        FORECAST,
        CHECK,
        ALERTS,
        UNPRICED,
        PRICES,
        POOLS,
        ECONOMICS,
        WHAT_IF,
        COMMITMENTS,
        MONTHS,
        RECONCILIATION,
    )
}
