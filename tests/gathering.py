"""Imported first: while modules are loaded and tests gathered, what lives only grows.

Looking for garbage in it, again and again, was half of the time that gathering took; and what was
there at the start of the first test need not be looked at with each later one.
"""

import gc

gc.disable()


def is_over() -> None:
    """From now on garbage is looked for among what tests make."""
    gc.freeze()
    gc.enable()
