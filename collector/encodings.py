"""Takes bodies out of their compression, in small steps, so that a bomb is stopped as it opens."""

import zlib
from typing import Final

import pyarrow as pa

from collector.errors import Malformed, TooLarge
from collector.limits import Limits, Share

KNOWN: Final = frozenset({"", "identity", "gzip", "x-gzip", "deflate", "zstd"})
"""Values of Content-Encoding that we take."""

_STEP: Final = 64 * 1024
_GZIP: Final = 31
_ZLIB: Final = 15
_RAW: Final = -15


def decompress(body: bytes, encoding: str, limits: Limits, share: Share) -> bytes:
    """The body as it was before compression, its size taken from ``share`` as it grows.

    Raises TooLarge beyond ``limits.request_bytes``, Malformed where it is broken or cut off, Busy
    where all requests together hold too much. ``encoding`` is one of KNOWN.
    """
    if encoding in {"", "identity"}:
        return body
    if encoding == "zstd":
        return _unpack_zstd(body, limits, share)
    if encoding == "deflate":
        # RFC 9110 says zlib; some senders leave out its two bytes of header.
        looks_like_zlib = len(body) > 1 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0  # noqa: PLR2004 - RFC 1950
        return _inflate(body, _ZLIB if looks_like_zlib else _RAW, 1, limits, share)
    return _inflate(body, _GZIP, limits.gzip_members, limits, share)


def _inflate(body: bytes, window: int, members: int, limits: Limits, share: Share) -> bytes:
    parts: list[bytes] = []
    size = 0
    stream = zlib.decompressobj(window)
    view = memoryview(body)
    for start in range(0, len(view), _STEP):
        rest: bytes | memoryview = view[start : start + _STEP]
        while rest:
            if stream.eof:
                members -= 1
                if members <= 0:
                    raise Malformed("the compressed body goes on after its end")
                stream = zlib.decompressobj(window)
            try:
                part = stream.decompress(rest, _STEP)
            except zlib.error as error:
                raise Malformed(f"the compressed body is broken: {error}") from None
            size += len(part)
            if size > limits.request_bytes:
                raise TooLarge(f"the body has more than {limits.request_bytes:,} bytes unpacked")
            share.take(len(part))
            parts.append(part)
            rest = stream.unused_data if stream.eof else stream.unconsumed_tail
    if not stream.eof:
        parts.append(_last(stream, limits.request_bytes - size))
    return b"".join(parts)


def _unpack_zstd(body: bytes, limits: Limits, share: Share) -> bytes:
    if not body:
        raise Malformed("the compressed body is cut off")
    parts: list[bytes] = []
    size = 0
    # Not read(): where a body is broken, pyarrow never gives back what that took.
    step = memoryview(bytearray(_STEP))
    try:
        with pa.CompressedInputStream(pa.BufferReader(body), "zstd") as stream:
            while count := stream.readinto(step):
                size += count
                if size > limits.request_bytes:
                    raise TooLarge(
                        f"the body has more than {limits.request_bytes:,} bytes unpacked"
                    )
                share.take(count)
                parts.append(bytes(step[:count]))
    except OSError as error:
        raise Malformed(f"the compressed body is broken: {error}") from None
    return b"".join(parts)


def _last(stream: "zlib._Decompress", room: int) -> bytes:
    """What the stream still holds when all of the body is in, if it is whole."""
    try:
        part = stream.decompress(b"", room + 1)
    except zlib.error as error:
        raise Malformed(f"the compressed body is broken: {error}") from None
    if len(part) > room:
        raise TooLarge("the body is too large unpacked")
    if not stream.eof:
        raise Malformed("the compressed body is cut off")
    return part
