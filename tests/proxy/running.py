"""The proxy of the package in a thread, as a command runs it."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from llmtop.probes.address import Address
from llmtop.probes.proxy.place import Place
from llmtop.probes.proxy.server import Proxy
from llmtop.probes.publish.counts import Row
from llmtop.probes.publish.publisher import Publisher


@dataclass
class Running:
    port: int
    publisher: Publisher
    said: list[str]
    proxy: Proxy

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def row(self) -> Row:
        """The only row."""
        (row,) = self.publisher.counts.rows()
        return row


@contextmanager
def proxy_before(url: str, publisher: Publisher | None = None) -> Generator[Running]:
    """A proxy before the engine at this URL."""
    publisher, said = publisher or Publisher("proxy"), list[str]()
    proxy = Proxy(Address.parse(url), publisher, said.append)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        place = asyncio.run_coroutine_threadsafe(proxy.start(Place("127.0.0.1", 0)), loop).result(10)
        yield Running(place.port, publisher, said, proxy)
    finally:
        asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
