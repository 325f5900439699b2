"""What listens at several addresses, or beside another engine on the same port: one row each, with its own process."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from llmtop.probes.discover import Discovery
from llmtop.probes.engines.contract import Endpoint
from llmtop.probes.processes import describe

from ..demo.processes import wait_for

LISTEN = """
import socket, sys, time
for host in sys.argv[2:]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    own = socket.socket(family); own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6: own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    own.bind((host, int(sys.argv[1]))); own.listen(); globals()[host] = own
print("ready", flush=True); time.sleep(60)
"""
HAS_IPV6 = Path("/proc/net/if_inet6").exists() and bool(Path("/proc/net/if_inet6").read_text())


class Programs:
    """Processes of a name that one chooses, which listen and say nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[str]] = []

    def __call__(self, name: str, port: int, *hosts: str) -> int:
        program = self._folder / name
        if not program.exists():
            program.symlink_to(Path(sys.executable).resolve())
        command = [str(program), "-c", LISTEN, str(port), *hosts]
        self._running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        out = self._running[-1].stdout
        assert out is not None and out.readline() == "ready\n"
        return self._running[-1].pid

    def end(self) -> None:
        for process in self._running:
            process.kill()
            process.communicate()


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    started = Programs(tmp_path)
    yield started
    started.end()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as own:
        return int(own.getsockname()[1])


def found(port: int, *urls: str) -> list[tuple[str, int | None]]:
    """URLs at this port, each with the pid behind it."""
    places: list[Endpoint] = []
    Discovery(places.append, list(urls)).look()
    return [
        (place.url, place.process.pid if place.process else None) for place in places if place.url.endswith(f":{port}")
    ]


@pytest.mark.skipif(not HAS_IPV6, reason="no IPv6 here")
def test_an_engine_on_both_families_is_one_place(programs: Programs) -> None:
    port = free_port()
    pid = programs("llama-server", port, "127.0.0.1", "::1")
    assert found(port) == [(f"http://127.0.0.1:{port}", pid)]


@pytest.mark.skipif(not HAS_IPV6, reason="no IPv6 here")
def test_a_forwarder_with_a_process_for_each_family_is_one_place(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docker-proxy does for a port that a container publishes."""
    port = free_port()
    monkeypatch.setattr("llmtop.probes.discover.PORTS", frozenset({port}))
    first = programs("docker-proxy", port, "0.0.0.0")
    programs("docker-proxy", port, "::")
    assert found(port) == [(f"http://127.0.0.1:{port}", first)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the whole of 127.0.0.0/8 is this machine's")
def test_two_engines_on_one_port_are_two_places(programs: Programs) -> None:
    port = free_port()
    one, two = programs("llama-server", port, "127.0.0.1"), programs("llama-server", port, "127.0.0.2")
    assert found(port) == [(f"http://127.0.0.1:{port}", one), (f"http://127.0.0.2:{port}", two)]
    named = (f"http://127.0.0.1:{port}", f"http://127.0.0.2:{port}")
    assert sorted(found(port, *named)) == [(named[0], one), (named[1], two)]


@pytest.mark.skipif(not HAS_IPV6, reason="no IPv6 here")
def test_a_named_address_gets_the_process_that_listens_there(programs: Programs) -> None:
    port = free_port()
    other, own = programs("llama-server", port, "127.0.0.1"), programs("llama-server", port, "::1")
    assert sorted(found(port, f"http://[::1]:{port}")) == [
        (f"http://127.0.0.1:{port}", other),
        (f"http://[::1]:{port}", own),
    ]


def test_two_spellings_of_one_place_are_one(programs: Programs) -> None:
    port = free_port()
    pid = programs("llama-server", port, "0.0.0.0")
    assert len(found(port, f"http://localhost:{port}", f"http://127.0.0.1:{port}")) == 1
    assert found(port, f"http://localhost:{port}") == [(f"http://localhost:{port}", pid)]


def test_processes_with_odd_command_lines_are_described(tmp_path: Path) -> None:
    """No argument at all, empty ones, and bytes that are no text."""
    program = os.fsencode(tmp_path) + b"/llama-server-\xff\xfe"
    Path(os.fsdecode(program)).symlink_to(Path(sys.executable).resolve())
    with subprocess.Popen([program, "-c", "__import__('sys').stdin.read()", "", b"\xff"], stdin=subprocess.PIPE) as odd:
        assert wait_for(lambda: bool((seen := describe(odd.pid)) and seen.command[3:4] == ("",)), 5)
        seen = describe(odd.pid)
        assert seen is not None
        assert seen.name.isprintable()
        odd.communicate(b"\n")
