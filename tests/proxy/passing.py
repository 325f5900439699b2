"""One exchange through a proxy, and the counts after it."""

import socket
import time
from collections.abc import Callable

from .running import Running, proxy_before
from .wire import Await, End, Engine, Pause, Send, Step, play


def request(path: str, body: bytes = b'{"messages":[{"content":"\\"model\\":\\"x\\""}],"model": "asked/for"}') -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (path.encode(), len(body), body)


def head(kind: str, **more: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in more.items())
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n{lines}\r\n".encode()


def pass_through(path: str, *answer: bytes, check: Callable[[Running], None]) -> None:
    """Lets one exchange pass, and checks the counts after it."""
    asked = request(path)
    steps: list[Step] = [Await(len(asked))]
    for piece in answer:
        steps += [Send(piece), Pause(0.005)]
    engine = Engine([*steps, End()])
    with proxy_before(engine.url) as proxy:
        heard = play(socket.create_connection(("127.0.0.1", proxy.port)), [Send(asked)])
        assert heard.data == b"".join(answer)
        engine.close()
        check(proxy)


def wait_until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)
