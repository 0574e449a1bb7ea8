"""Tables of what is no statement, most for a terminal: bills, budgets, pools, months, what if."""
