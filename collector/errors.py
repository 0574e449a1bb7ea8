"""The only two refusals that a sender can be given, and who should do what."""


class Malformed(Exception):  # noqa: N818 - it names what the request is, as the answer does
    """The request can never be understood. The sender must not send it again."""


class TooLarge(Malformed):
    """The request is over a limit (bytes after decompression, spans). Send smaller ones."""


class Busy(Exception):  # noqa: N818 - as above
    """Nothing is wrong with the request, and nothing of it was stored. Send it again soon."""
