"""How questions are put: by which dimensions, over which time."""
