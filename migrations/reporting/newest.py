"""The views as the newest revision has them: what docs and tests are held to."""

from typing import Final

from migrations.reporting.r0029_books import BOOK_VIEWS
from migrations.reporting.r0029_budgets import BUDGET_VIEWS
from migrations.reporting.r0029_performance import FUNCTIONS as _FUNCTIONS
from migrations.reporting.r0029_performance import PERFORMANCE_VIEWS
from migrations.reporting.r0029_spend import SPEND_VIEWS
from migrations.reporting.views import Function, View

VIEWS: Final[tuple[View, ...]] = (*SPEND_VIEWS, *PERFORMANCE_VIEWS, *BUDGET_VIEWS, *BOOK_VIEWS)
FUNCTIONS: Final[tuple[Function, ...]] = _FUNCTIONS
