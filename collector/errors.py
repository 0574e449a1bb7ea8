"""What a sender can be told instead of "stored", and what it should do then."""

from store.access.refused_keys import BadKey


class Malformed(Exception):  # noqa: N818 - it names what the request is, as the answer does
    """The request can never be understood. The sender must not send it again."""


class TooLarge(Malformed):
    """The request is over a limit (bytes after decompression, spans). Send smaller ones."""


class Denied(Exception):  # noqa: N818 - as above
    """The sender shows no key, or none that is known. Its owner should give it one."""

    def __init__(self, message: str, bad: BadKey) -> None:
        """``bad``: for whoever runs us, and not for the sender."""
        super().__init__(message)
        self.bad = bad


class Busy(Exception):  # noqa: N818 - as above
    """Nothing is wrong with the request, and nothing is promised of it. Send it again soon.

    It may have been stored after all (an answer of Postgres' that got lost): then the second one
    is a duplicate, and counts for nothing.
    """
