"""How budgets stand, and setting one."""
