"""What a proxy or the hook has counted, from a real page of counts, and how the monitor finds it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from llmtop.probes.discover import Discovery
from llmtop.probes.engines.contract import Endpoint
from llmtop.probes.engines.source import EngineSource
from llmtop.probes.publish.publisher import Publisher
from llmtop.probes.publish.request import Request
from llmtop.probes.sample import Engine, Gone

ROOT = Path(__file__).parents[2]
UPSTREAM = "http://127.0.0.1:5000"


@pytest.fixture
def proxy() -> Iterator[Publisher]:
    publisher = Publisher("proxy", port=0)
    publisher.start()
    yield publisher
    publisher.stop()


def read(publisher: Publisher) -> Engine:
    assert publisher.url is not None
    reading = EngineSource(Endpoint(url=publisher.url, announced=True), interval=1.0).read()
    assert isinstance(reading, Engine)
    return reading


def test_the_counts_of_a_proxy_are_those_of_the_engine_behind_it(proxy: Publisher) -> None:
    request = Request(proxy.counts.row("", "Qwen3-8B", UPSTREAM))
    request.prompt(120, cached=20)
    request.tokens(1, estimated=True)
    request.tokens(1, estimated=True)
    reading = read(proxy)
    assert (reading.upstream, reading.status, reading.liveness) == (UPSTREAM, "ok", "token")
    assert (reading.decode_tokens, reading.prefill_tokens, reading.requests_running) == (2, 100, 1)
    assert (reading.prefix_queries, reading.prefix_hits) == (120, 20)
    assert reading.about
    assert reading.model is not None
    assert reading.model.name == "Qwen3-8B"
    assert "llmtop proxy 127.0.0.1:" in (reading.decode_source or "")
    request.exact(generated=3)
    request.end()
    reading = read(proxy)
    assert (reading.decode_tokens, reading.about, reading.status) == (3, False, "idle")


def test_of_several_models_the_one_that_works_is_named(proxy: Publisher) -> None:
    old = Request(proxy.counts.row("", "old", UPSTREAM))
    old.tokens(50)
    old.end()
    new = Request(proxy.counts.row("", "new", UPSTREAM))
    new.tokens(1)
    model = read(proxy).model
    assert model is not None
    assert model.name == "new"


def test_drafts_are_unknown_until_somebody_counts_them(proxy: Publisher) -> None:
    request = Request(proxy.counts.row("", "m", UPSTREAM))
    assert read(proxy).drafts is None
    request.drafted(2, drafted=8, accepted=5)
    reading = read(proxy)
    assert (reading.drafts, reading.drafted_tokens, reading.accepted_tokens) == (2, 8, 5)


def test_a_script_with_the_hook_is_found_by_itself_and_gone_when_it_ends(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "from llmtop.probes.publish.publisher import Publisher\n"
        "from llmtop.probes.publish.request import Request\n"
        "publisher = Publisher('hook')\n"
        "publisher.start()\n"
        "request = Request(publisher.counts.row('CTranslate2', 'mine', ''))\n"
        "request.tokens(5)\n"
        "print(publisher.url, flush=True)\n"
        "input()\n"
    )
    running = subprocess.Popen(
        [sys.executable, script], env={"PYTHONPATH": str(ROOT / ".src")}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    found: list[Endpoint] = []
    discovery = Discovery(found.append, [])
    try:
        assert running.stdout is not None
        url = running.stdout.readline().decode().strip()
        discovery.start()
        (endpoint,) = [each for each in found if each.url == url]
        source = EngineSource(endpoint, interval=1.0)
        reading = source.read()
        assert isinstance(reading, Engine)
        assert (reading.engine, reading.pid, reading.upstream) == ("CTranslate2", running.pid, None)
        assert (reading.decode_tokens, reading.decode_source) == (5, "llmtop.hook")
    finally:
        discovery.stop()
        running.communicate(b"\n")
    deadline = time.monotonic() + 5
    while not isinstance(source.read(), Gone):
        assert time.monotonic() < deadline
