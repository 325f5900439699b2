"""`llmtop proxy`: relays to an engine that publishes no live count, and counts what passes."""

import argparse
import asyncio
import os
import resource
import signal
import sys
import time
from contextlib import suppress

from ..probes.address import Address
from ..probes.proxy.place import Place
from ..probes.proxy.server import Proxy
from ..probes.publish.publisher import Publisher
from .output import say
from .refusal import Refusal, WrongUsage

OWN = frozenset({"127.0.0.1", "localhost"})
"""Where counts may be published: nobody else's business."""


def proxy(options: argparse.Namespace) -> int:
    """Runs the command until it is interrupted.

    Raises:
        Refusal: it cannot listen.
        WrongUsage: a URL or a place is none.
    """
    try:
        upstream = Address.parse(options.upstream)
    except ValueError as error:
        raise WrongUsage(str(error).replace("--url", "--upstream")) from None
    place, metrics = _place("--listen", options.listen), _place("--metrics", options.metrics)
    if metrics.host not in OWN:
        raise WrongUsage(f"--metrics {metrics.site}: counts are published on 127.0.0.1 only")
    if metrics.port and metrics.port == place.port:
        raise WrongUsage(f"--metrics and --listen both name port {place.port}")
    with suppress(ValueError, OSError):  # each client takes two
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    publisher = Publisher("proxy")
    try:
        publisher.start(metrics.port)
    except OSError as error:
        raise Refusal(f"--metrics {metrics.site}: {_reason(error)}") from None
    try:
        return asyncio.run(_run(Proxy(upstream, publisher, say), place, publisher))
    finally:
        publisher.stop()


async def _run(relay: Proxy, place: Place, publisher: Publisher) -> int:
    """From the first to the last line."""
    try:
        if not place.is_loopback:
            say(f"warning: {place.site} is open to others than this machine, and so is {relay.upstream.url} through it")
        place = await relay.start(place)
    except OSError as error:
        raise Refusal(f"--listen {place.site}: {_reason(error)}") from None
    except ValueError as error:
        raise WrongUsage(str(error)) from None
    _print(f"listening on http://{place.site}, relaying to {relay.upstream.url}")
    _print(f"use http://{place.site} in clients where they have http://{relay.upstream.site} now (the path stays)")
    found = "llmtop finds them by itself" if publisher.announced else f"watch with llmtop --url {publisher.url}"
    _print(f"counts on {publisher.url}/metrics: {found}; Ctrl-C ends")
    began = time.monotonic()
    await _until_told_to_end(relay)
    _print(summary(publisher, relay.bytes, time.monotonic() - began))
    return 0


async def _until_told_to_end(relay: Proxy) -> None:
    """The first signal lets answers end, the second does not."""
    loop = asyncio.get_running_loop()
    told = asyncio.Queue[None]()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, told.put_nowait, None)
    await told.get()
    drained = loop.create_task(relay.drain())
    again = loop.create_task(told.get())
    await asyncio.sleep(0.1)
    if not drained.done():
        say(f"{relay.answers_under_way} answers are still coming: waiting for them; Ctrl-C again ends at once")
    await asyncio.wait({drained, again}, return_when=asyncio.FIRST_COMPLETED)
    drained.cancel()
    again.cancel()
    await relay.stop()


def summary(publisher: Publisher, passed_bytes: int, seconds: float) -> str:
    """What went through, in one line."""
    rows = publisher.counts.rows()
    requests = sum(row.requests.total for row in rows)
    generated = sum(row.generation_tokens.total for row in rows)
    estimated = sum(row.estimated_tokens for row in rows)
    about = f" (~{estimated:,} of them estimated)" if estimated else ""
    prompt = sum(row.prompt_tokens.total for row in rows)
    return (
        f"{requests:,} requests, {generated:,} tokens generated{about}, {prompt:,} prompt tokens, "
        f"{passed_bytes / 1e6:,.1f} MB relayed in {seconds:,.0f} s"
    )


def _place(option: str, text: str) -> Place:
    try:
        return Place.parse(text)
    except ValueError as error:
        raise WrongUsage(f"{option}: {error}") from None


def _reason(error: OSError) -> str:
    """In the words of the system; asyncio puts its own around them."""
    return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error.strerror or error)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
