"""What ends a command although nothing is wrong with it: told in one line, without a traceback.

Apart from what raises them, so that ``spanledger --help`` need not load a database's library.
"""


class WrongSetting(Exception):  # noqa: N818  # named for what is wrong, not for Python
    """A setting cannot be used. One line for each: which, and why. Whoever started us sets it."""


class DatabaseUnavailable(Exception):  # noqa: N818  # a state of the world, said as such
    """The database cannot be used now; the message says which and why, without its password."""


class DatabaseTooNew(DatabaseUnavailable):
    """A newer version gave it a shape that this one cannot work with: upgrade this one, too."""


class PostgresUnavailable(Exception):  # noqa: N818  # a state of the machine, said as such
    """The local Postgres cannot run here; the message says why and what to do about it."""
