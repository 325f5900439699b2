"""A cheap fingerprint of all listening TCP sockets, to see that one has come or gone.

Linux answers it over netlink (`sock_diag(7)`; `inet_diag_req_v2` and `inet_diag_msg` of linux/inet_diag.h), with the
listening sockets alone. /proc/net/tcp would do as well, but takes milliseconds: the kernel walks the hash table of
all connections.
"""

import socket
import struct
import sys

_SOCK_DIAG = 4
_BY_FAMILY = 20
_REQUEST_DUMP = 0x301
_DONE, _ERROR = 3, 2
_LISTEN = 1 << 10
_HEADER = struct.Struct("=IHHII")
"""Length, type, flags, sequence, port of a netlink message."""
_QUERY = struct.Struct("=BBBxI48x")
"""Family, protocol, extensions, states; any address."""
_SOCKET = slice(4, 24)
"""Of an answer: local port, remote port and local address."""
_INODE = slice(68, 72)


def fingerprint() -> frozenset[bytes] | None:
    """One item for each listening socket, another one when another process has opened it; None if it cannot be told."""
    if sys.platform != "linux":
        return None
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
            kernel.settimeout(1.0)
            return frozenset(_ask(kernel, socket.AF_INET) + _ask(kernel, socket.AF_INET6))
    except OSError:
        return None


def _ask(kernel: socket.socket, family: int) -> list[bytes]:
    """Raises OSError when the kernel refuses."""
    query = _QUERY.pack(family, socket.IPPROTO_TCP, 0, _LISTEN)
    kernel.send(_HEADER.pack(_HEADER.size + len(query), _BY_FAMILY, _REQUEST_DUMP, 0, 0) + query)
    found: list[bytes] = []
    while True:
        answer = kernel.recv(1 << 16)
        while len(answer) >= _HEADER.size:
            length, kind, *_ = _HEADER.unpack_from(answer)
            if kind == _DONE:
                return found
            if kind == _ERROR or length < _HEADER.size:
                raise OSError("sock_diag is refused")
            body = answer[_HEADER.size : length]
            found.append(body[_SOCKET] + body[_INODE])
            answer = answer[(length + 3) & ~3 :]
