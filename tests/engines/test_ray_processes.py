"""Ray Serve by the processes of a node: whose exporter it is, who works for it, and which application it belongs to."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from llmtop.probes.engines.contract import Endpoint
from llmtop.probes.engines.ray_exporters import places, workers
from llmtop.probes.engines.source import EngineSource
from llmtop.probes.processes import describe

from .conftest import Emulate, once
from .data import body

RAYLET = Path(__file__).parent / "raylet.py"
LISTED = '[{"labels":{"job":"ray"},"targets":["192.0.2.2:%d","192.0.2.3:8080"]}]'
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="titles of processes")


@pytest.fixture
def family(tmp_path: Path) -> Iterator[dict[str, int]]:
    """Pids by title; the exporter has port 18180, the folder is `tmp_path`."""
    program = tmp_path / "raylet"
    program.symlink_to(sys.executable)
    command = [str(program), str(RAYLET), "--metrics_export_port=18180", f"--temp_dir={tmp_path}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as raylet:
        assert raylet.stdout and raylet.stdin
        yield json.loads(raylet.stdout.readline())
        raylet.stdin.close()


def test_the_exporters_of_its_own_cluster(family: dict[str, int], tmp_path: Path) -> None:
    """The file is that of the session that began last: another one may be running."""
    proxy = describe(family["ray::ProxyActor"])
    file = tmp_path / "prom_metrics_service_discovery.json"
    assert places(proxy, Path("/nowhere")) == ("http://127.0.0.1:18180",)
    file.write_text(LISTED % 9999)
    assert places(proxy, Path("/nowhere")) == ("http://127.0.0.1:18180",)
    file.write_text(LISTED % 18180)
    assert places(proxy, Path("/nowhere")) == ("http://192.0.2.2:18180", "http://192.0.2.3:8080")


def test_replicas_are_no_children_of_the_proxy(family: dict[str, int]) -> None:
    proxy = describe(family["ray::ProxyActor"])
    assert proxy is not None
    assert workers(proxy) == (family["ray::ServeReplica:default:LLMServer:small"],)


def test_an_exporter_knows_its_application_so_that_both_are_one_row(family: dict[str, int], emulate: Emulate) -> None:
    metrics = body("ray", "real-2.60.0/busy.metrics.txt")
    server = emulate("Ray Serve", {"/version": metrics, "/metrics": metrics}, server="WSGIServer/0.2 CPython/3.11.7")
    agent = describe(family["ray::DashboardAgent"])
    reading = once(EngineSource(Endpoint(url=server.url, process=agent, explicit=True), interval=1.0))
    assert agent is not None
    assert agent.command[:1] == ("ray::DashboardAgent",)
    assert (reading.decode_tokens, reading.upstream) == (3379, f"http://127.0.0.1:{family['port']}")
    assert reading.pids == (family["ray::ServeReplica:default:LLMServer:small"],)
