"""The reference: what there is of each kind, told from the code (docs/reference/)."""
