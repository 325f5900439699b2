"""Whatever is sent through the proxy arrives as it does without it."""

import socket

import pytest

from .corpus import CORPUS, Talk
from .running import proxy_before
from .wire import Engine, Heard, play


def talk(engine: Engine, port: int, exchange: Talk) -> tuple[Heard, Heard]:
    """What the client and the engine have heard."""
    heard = play(socket.create_connection(("127.0.0.1", port)), exchange.client)
    engine.close()
    (asked,) = engine.heard
    return heard, asked


@pytest.mark.parametrize("name", CORPUS)
def test_both_sides_hear_the_same_as_without_it(name: str) -> None:
    exchange = CORPUS[name]
    direct = Engine(exchange.engine)
    client, asked = talk(direct, direct.port, exchange)
    assert client.data or name == "closed without an answer"
    proxied = Engine(exchange.engine)
    with proxy_before(proxied.url) as proxy:
        client_proxied, asked_proxied = talk(proxied, proxy.port, exchange)
    assert client_proxied.data == client.data
    assert asked_proxied.data == asked.data
    if name != "reset in a chunk":  # there the client sees by the chunk that it broke off: an end will do
        assert client_proxied.ending == client.ending
    assert client_proxied.ending in {"end", "reset"}
    assert proxy.said == []


def test_the_corpus_is_large_and_its_names_tell_streams_from_others() -> None:
    assert len(CORPUS) >= 25
