"""``python -m app``: the command line, as ``serve`` starts its parts."""

from app.cli import main

main()
