"""The fingerprint of the listening sockets against what is told of each."""

import socket
import sys

import pytest
from llmtop.probes.listening import fingerprint
from llmtop.probes.processes import listeners


@pytest.mark.skipif(sys.platform != "linux", reason="netlink is Linux's")
def test_a_socket_that_comes_or_goes_changes_it() -> None:
    before = fingerprint()
    assert before is not None
    with socket.create_server(("127.0.0.1", 0)) as taken:
        during = fingerprint()
        assert during is not None
        (new,) = during - before
        assert int.from_bytes(new[:2]) == taken.getsockname()[1]
    assert fingerprint() == before


@pytest.mark.skipif(sys.platform != "linux", reason="netlink is Linux's")
def test_it_holds_every_listening_port() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6), socket.create_server(("127.0.0.1", 0)):
        found = fingerprint()
        seen = {listener.port for listener in listeners()}
    assert found is not None
    assert {int.from_bytes(item[:2]) for item in found} == seen
