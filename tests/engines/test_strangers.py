"""Servers that are no engine, and one that llmtop does not know: what they are asked, and what is said of them."""

from llmtop.probes.sample import Gone

from .conftest import Emulate


def test_a_web_server_on_some_port_is_left_alone(emulate: Emulate) -> None:
    stranger = emulate(None, {"/": b"hello"}, server="nginx")
    assert isinstance(stranger.source("nginx", explicit=False).read(), Gone)
    assert set(stranger.paths) <= {"/version", "/v1/models"}


def test_a_named_web_server_gets_a_row_that_says_so(emulate: Emulate) -> None:
    reading = emulate(None, {"/": b"hello"}, server="nginx").read()
    assert (reading.engine, reading.status) == ("unknown", "unsupported")
    assert reading.problem
