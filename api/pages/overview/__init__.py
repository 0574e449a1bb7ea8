"""The first page: a month so far; until something is heard, how to begin."""
