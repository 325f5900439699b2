"""Unpacks a copy of a packed body, with a bound on what may come out of it."""

import zlib

MOST_AT_ONCE = 8 << 20
"""Bytes from one block: what was read from a socket at once, so a stream that grows more is a bomb."""


class PackedOtherwise(Exception):
    """A packing that is not looked into, or more than may come out."""


class Unpacker:
    """For `Content-Encoding`: gzip, deflate and none."""

    def __init__(self, encoding: bytes) -> None:
        """Begins.

        Raises:
            PackedOtherwise: brotli, zstandard, several in a row, or an unknown one.
        """
        name = encoding.strip().lower()
        if name not in {b"", b"identity", b"gzip", b"x-gzip", b"deflate"}:
            raise PackedOtherwise
        self._is_plain = name in {b"", b"identity"}
        self._is_gzip = name.endswith(b"gzip")
        self._stream = zlib.decompressobj(47)
        """47: a header of gzip or zlib, whichever there is."""
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        """What a block holds.

        Raises:
            PackedOtherwise: it is too much, or no such packing.
        """
        if self._is_plain or not data:
            return data
        try:
            return self._inflate(data)
        except zlib.error:
            if self._begun or self._is_gzip:
                raise PackedOtherwise from None
        self._stream = zlib.decompressobj(-15)  # RFC 9110, 8.4.1.2: some send deflate without the zlib header
        try:
            return self._inflate(data)
        except zlib.error:
            raise PackedOtherwise from None

    def _inflate(self, data: bytes) -> bytes:
        found = self._stream.decompress(data, MOST_AT_ONCE)
        if self._stream.unconsumed_tail:
            raise PackedOtherwise
        self._begun = True
        return found
