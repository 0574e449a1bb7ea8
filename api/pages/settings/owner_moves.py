"""What other ownership rules would move, as tables."""

from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visitor
from spend.money import EXACT
from store.ledger.ownership_preview import Preview


def moves(found: Preview, visitor: Visitor) -> Table:
    """From whom to whom."""
    ordered = sorted(found.moved.items(), key=lambda each: (-abs(each[1].cost), each[0]))
    return Table(
        columns=(
            Column("from", "From"),
            Column("to", "To"),
            Column("calls", "Calls", "number"),
            Column("cost", "Spend", "money"),
        ),
        rows=[
            {"from": before, "to": after, "calls": share.calls, "cost": share.cost}
            for (before, after), share in ordered
        ],
        caption="What changes hands",
        file="ownership-moves",
        currency=visitor.currency,
        empty="No call of these days: who pays for each stays as it is.",
    )


def team_changes(found: Preview, visitor: Visitor) -> Table:
    """What each team pays before and after, with splits."""
    rows: list[dict[str, Held | Cell]] = []
    for team in found.teams:
        before, after = found.of(team)
        difference = EXACT.subtract(after.cost, before.cost)
        rows.append(
            {
                "team": team,
                "before": before.cost,
                "after": after.cost,
                "difference": Cell(difference, tone="" if difference else "quiet"),
                "calls_before": before.calls,
                "calls_after": after.calls,
            }
        )
    return Table(
        columns=(
            Column("team", "Team"),
            Column("before", "Pays now", "money", narrow=False),
            Column("after", "Then", "money"),
            Column("difference", "Difference", "difference"),
            Column("calls_before", "Calls now", "number", narrow=False),
            Column("calls_after", "Then", "number", narrow=False),
        ),
        rows=rows,
        caption="Teams, with shared costs",
        file="ownership-teams",
        currency=visitor.currency,
        empty="Nothing was used in these days.",
    )


def rules_that_decide(found: Preview, visitor: Visitor) -> Table:
    """What each rule decides."""
    return Table(
        columns=(
            Column("rule", "Rule"),
            Column("calls", "Calls", "number"),
            Column("cost", "Spend", "money"),
        ),
        rows=[
            {
                "rule": Cell(name, note=None if share.calls else "fits nothing of these days"),
                "calls": share.calls,
                "cost": share.cost,
            }
            for name, share in found.decided.items()
        ],
        caption="What each rule decides",
        file="ownership-decided",
        currency=visitor.currency,
        empty="There are no rules.",
    )
