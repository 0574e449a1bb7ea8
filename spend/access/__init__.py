"""Who may do what: roles, keys, networks."""
