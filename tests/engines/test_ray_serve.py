"""Ray Serve: one row of two places, by bodies of a real server and by spellings that are not in them."""

import json
from pathlib import Path

import pytest
from llmtop.probes.engines.contract import UNAUTHORIZED, Endpoint, Seen
from llmtop.probes.engines.ray_exporters import places
from llmtop.probes.engines.ray_serve import RayServe
from llmtop.probes.engines.vllm import Vllm
from llmtop.probes.fetch import Fetch
from llmtop.probes.process import Process
from llmtop.probes.sample import Engine, Gone

from .conftest import Body, Emulate, Emulated, once
from .data import body

REAL = "real-2.60.0"
PROXY = ("ray::ProxyActor", *[""] * 858)
"""As the kernel shows it: the title stands where the arguments were, and the rest is empty."""
AGENT = ("ray::DashboardAgent", *[""] * 1042)
WSGI = "WSGIServer/0.2 CPython/3.11.7"
APP: dict[str, Body] = {"/v1/models": body("ray", f"{REAL}/v1_models.json"), "/-/healthz": b"success"}
BUSY = body("ray", f"{REAL}/busy.metrics.txt")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of Ray's."""
    monkeypatch.setattr(RayServe, "folder", tmp_path)
    return tmp_path


def exporter(emulate: Emulate, metrics: Body) -> Emulated:
    """It answers any path alike."""
    return emulate("Ray Serve", dict.fromkeys(["/metrics", "/version", "/v1/models"], metrics), server=WSGI)


def listed(folder: Path, *exporters: Emulated) -> None:
    """Writes the file by which Ray tells Prometheus of them; the last two of a real one are no nodes."""
    targets = [each.url.removeprefix("http://") for each in exporters]
    text = json.dumps([{"labels": {"job": "ray"}, "targets": [*targets, "127.0.0.1:1"]}])
    (folder / "prom_metrics_service_discovery.json").write_text(text)


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        (PROXY, True),
        (("ray::HTTPProxyActor",), True),
        (AGENT, False),
        (("ray::ServeReplica:default:LLMServer:small", ""), False),
        (("/x/raylet", "--metrics-export-port=8080"), False),
        (("VLLM::EngineCore", ""), False),
        (("python3", "-m", "vllm.entrypoints.openai.api_server"), False),
    ],
)
def test_the_titles_of_its_processes(command: tuple[str, ...], claimed: bool) -> None:
    assert RayServe.claims(Process(1, command, "ray::ProxyActor")) is claimed


def test_the_application_has_the_counts_of_the_exporter(emulate: Emulate, folder: Path) -> None:
    app, node = emulate("Ray Serve", APP), exporter(emulate, BUSY)
    listed(folder, node)
    reading = app.read(*PROXY, explicit=False)
    site = node.url.removeprefix("http://")
    assert (reading.engine, reading.url, reading.status, reading.version) == ("Ray Serve", app.url, "ok", "2.60.0")
    assert (reading.decode_tokens, reading.prefill_tokens, reading.problem) == (3379, 9, None)
    assert (reading.liveness, reading.prefill_liveness, reading.about) == ("interval", "interval", False)
    assert reading.decode_source == f"GET {site}/metrics ray_vllm_generation_tokens_total"
    assert (reading.requests_running, reading.requests_waiting, reading.prefix_queries) == (2, 0, 9)
    assert reading.kv_cache_usage == pytest.approx(0.0547945205479452)
    assert reading.model is not None
    assert (reading.model.name, reading.model.context_length) == ("small", 2048)


def test_sums_of_its_histograms_are_no_times(emulate: Emulate, folder: Path) -> None:
    """They are made of the middles of buckets: the recorded 20 tokens stand there as 15.0."""
    listed(folder, exporter(emulate, BUSY))
    reading = emulate("Ray Serve", APP).read(*PROXY)
    assert (reading.ttft, reading.tpot) == (None, None)
    assert b"ray_vllm_request_generation_tokens_sum{" in BUSY


def test_idle_after_work(emulate: Emulate, folder: Path) -> None:
    listed(folder, exporter(emulate, body("ray", f"{REAL}/after.metrics.txt")))
    reading = emulate("Ray Serve", APP).read(*PROXY)
    assert (reading.status, reading.requests_running) == ("idle", 0)


def test_the_older_spelling_with_two_replicas_and_a_wrong_type(emulate: Emulate, folder: Path) -> None:
    listed(folder, exporter(emulate, body("ray", "older.metrics.txt")))
    reading = emulate("Ray Serve", APP).read(*PROXY)
    assert (reading.decode_tokens, reading.prefill_tokens, reading.requests_running) == (1500, 160, 3)
    assert (reading.prefix_queries, reading.prefix_hits, reading.kv_cache_usage) == (160, 40, 0.375)
    assert reading.version == "2.49.0"
    assert (reading.decode_source or "").endswith("ray_vllm:generation_tokens_total")


def test_sglang_inside(emulate: Emulate, folder: Path) -> None:
    listed(folder, exporter(emulate, body("ray", "sglang.metrics.txt")))
    reading = emulate("Ray Serve", APP).read(*PROXY)
    assert (reading.decode_tokens, reading.prefill_tokens, reading.requests_running) == (700, 90, 2)
    assert (reading.liveness, reading.kv_cache_usage, reading.decode_tps) == ("interval", 0.25, None)


def test_two_nodes_are_summed(emulate: Emulate, folder: Path) -> None:
    listed(folder, exporter(emulate, BUSY), exporter(emulate, body("ray", "older.metrics.txt")))
    reading = emulate("Ray Serve", APP).read(*PROXY)
    assert reading.decode_tokens == 3379, "one spelling counts, never the sum of two"
    listed(folder, exporter(emulate, BUSY), exporter(emulate, BUSY))
    reading = emulate("Ray Serve", APP).read(*PROXY)
    assert (reading.decode_tokens, reading.requests_running) == (2 * 3379, 4)
    assert (reading.decode_source or "").startswith("GET /metrics of 2 nodes")


def test_a_page_of_a_million_bytes_is_read(emulate: Emulate, folder: Path) -> None:
    line = b'ray_node_disk_usage{SessionName="session_2026-11-25_08-31-57_090361_21969",ip="192.0.2.2"} 1.0\n'
    listed(folder, exporter(emulate, line * 20_000 + BUSY))
    assert emulate("Ray Serve", APP).read(*PROXY).decode_tokens == 3379


def test_nobody_is_asked_while_nothing_can_have_changed(emulate: Emulate, folder: Path) -> None:
    """An answer is dear and the counts move every 10 s: after a change there is none for 8 s."""
    node = exporter(emulate, BUSY)
    listed(folder, node)
    source = emulate("Ray Serve", APP).source(*PROXY)
    assert [once(source).decode_tokens for _ in range(4)] == [3379] * 4
    assert node.paths == ["/metrics"]


def test_several_series_change_at_any_moment(emulate: Emulate, folder: Path) -> None:
    node = exporter(emulate, body("ray", "older.metrics.txt"))
    listed(folder, node)
    source = emulate("Ray Serve", APP).source(*PROXY)
    before = once(source).decode_tokens
    node.answers["/metrics"] = body("ray", "older.metrics.txt").replace(b"} 1000.0", b"} 10.0")
    assert (before, once(source).decode_tokens) == (1500, 510), "one replica is new: a count that falls"


def test_before_the_first_request_there_is_nothing_to_read(emulate: Emulate, folder: Path) -> None:
    listed(folder, exporter(emulate, b'# TYPE x gauge\nray_node_mem_used{ip="192.0.2.2"} 1.0\n'))
    reading = emulate("Ray Serve", APP).read(*PROXY)
    assert (reading.status, reading.decode_tokens, reading.requests_running, reading.liveness) == ("ok", *[None] * 3)
    assert "first request" in (reading.problem or "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "no exporter of Ray's metrics is known"),
        ("{", "no exporter of Ray's metrics is known"),
        ('[{"targets": ["a b", "user@h:1", "", "x?y"]}]', "no exporter of Ray's metrics is known"),
        ('[{"targets": ["127.0.0.1:1"]}]', "nothing listens on 127.0.0.1:1"),
    ],
)
def test_without_exporters_it_says_so(emulate: Emulate, folder: Path, text: str | None, problem: str) -> None:
    if text is not None:
        (folder / "prom_metrics_service_discovery.json").write_text(text)
    reading = emulate("Ray Serve", APP).read(*PROXY)
    assert (reading.status, reading.decode_tokens, reading.problem) == ("ok", None, problem)


def test_a_key_of_the_application_does_not_hide_the_counts(emulate: Emulate, folder: Path) -> None:
    locked: dict[str, Body] = {"/v1/models": "401 Unauthorized", "/-/healthz": b"success"}
    reading = emulate("Ray Serve", locked).read(*PROXY)
    assert (reading.status, reading.problem) == ("unauthorized", UNAUTHORIZED)
    listed(folder, exporter(emulate, BUSY))
    reading = emulate("Ray Serve", locked).read(*PROXY)
    assert (reading.decode_tokens, reading.model and reading.model.name) == (3379, "small")


def test_exporters_get_no_key(emulate: Emulate, folder: Path) -> None:
    node = exporter(emulate, BUSY)
    listed(folder, node)
    emulate("Ray Serve", APP).read(*PROXY, api_key="secret")
    assert node.paths == ["/metrics"]
    assert "authorization" not in "".join(node.heads).lower()


def test_an_exporter_that_a_person_names(emulate: Emulate) -> None:
    reading = exporter(emulate, BUSY).read()
    assert (reading.engine, reading.decode_tokens, reading.liveness) == ("Ray Serve", 3379, "interval")
    assert reading.model is not None
    assert reading.model.name == "small"
    assert exporter(emulate, BUSY).read(*AGENT).decode_tokens == 3379


def test_an_exporter_that_nobody_names_is_no_engine(emulate: Emulate) -> None:
    """It may have the port of one: 8080 is what Ray's own examples give it."""
    node = exporter(emulate, BUSY)
    assert node.source(*AGENT, explicit=False).read() == Gone()


def test_an_exporter_of_something_else_is_none(emulate: Emulate) -> None:
    stranger = emulate(None, {"/version": b"python_info 1.0\n"}, server=WSGI)
    assert stranger.read().engine == "unknown"


def test_an_application_that_has_no_model_is_none(emulate: Emulate) -> None:
    reading = emulate(None, {"/-/healthz": b"success"}).source(*PROXY, explicit=False).read()
    assert not isinstance(reading, Engine)


def test_one_whose_process_nobody_knows(emulate: Emulate, folder: Path) -> None:
    listed(folder, exporter(emulate, BUSY))
    assert emulate("Ray Serve", APP).read().decode_tokens == 3379


def test_the_same_owner_without_what_only_ray_says_is_another(emulate: Emulate) -> None:
    plain = b'{"data":[{"id":"small","owned_by":"organization-owner"}]}'
    assert emulate("OpenAI-compatible", {"/v1/models": plain}).read().engine == "OpenAI-compatible"


def test_vllm_and_ray_are_told_apart(emulate: Emulate) -> None:
    ours = emulate("Ray Serve", APP)
    theirs = emulate(
        "vLLM",
        {"/version": body("vllm", "0.32.0-version.json"), "/v1/models": body("vllm", "0.32.0-v1_models.json")},
    )
    for server, takers in ((ours, [RayServe]), (theirs, [Vllm])):
        fetch = Fetch(server.url)
        seen = Seen(Endpoint(url=server.url), fetch)
        assert [engine for engine in (RayServe, Vllm) if engine.match(seen, fetch)] == takers


def test_a_list_of_a_process_that_no_raylet_has_started(folder: Path) -> None:
    (folder / "prom_metrics_service_discovery.json").write_bytes(
        body("ray", f"{REAL}/prom_metrics_service_discovery.json")
    )
    assert places(None, folder) == ("http://192.0.2.2:18180", "http://192.0.2.2:44217", "http://192.0.2.2:44227")
    assert places(Process(2**22, PROXY, PROXY[0]), folder) == places(None, folder)
