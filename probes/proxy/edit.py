"""The one change that is ever made to a request: where the engine has a name or a path of its own."""

import re
from collections.abc import Callable
from ipaddress import ip_address

from ..address import Address

_HOST = re.compile(rb"(?<=\r\n)(Host:[ \t]*)[^\r\n]*", re.IGNORECASE)


def editor(upstream: Address) -> Callable[[bytes], bytes] | None:
    """What turns the head of a request into one for this engine; None where it goes on as it is.

    An engine at an address of its own, or at "localhost", is told what the client has asked for: some refuse names
    that are not theirs (so that no web page reaches them), and the relay must not open that door. A server with a name
    answers to this name only.
    """
    host = None if _is_plain(upstream) else upstream.header.encode("ascii")
    prefix = upstream.prefix.encode("ascii")
    if host is None and not prefix:
        return None

    def edit(head: bytes) -> bytes:
        if prefix:
            method, space, rest = head.lstrip(b"\r\n").partition(b" ")
            if rest.startswith(b"/"):
                head = method + space + prefix + rest
        return head if host is None else _HOST.sub(lambda match: match[1] + host, head, count=1)

    return edit


def _is_plain(upstream: Address) -> bool:
    if upstream.secure:
        return False
    if upstream.host == "localhost":
        return True
    try:
        ip_address(upstream.host.partition("%")[0])
    except ValueError:
        return False
    return True
