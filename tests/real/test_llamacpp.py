"""llmtop beside a real llama-server that generates under load."""

import statistics
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from llmtop.estimator.snapshot import EngineView
from llmtop.probes.sample import Engine, Sample
from llmtop.tui.live import Live

from .engine import Clients, Server

SECRET = "sk-open-sesame"


@contextmanager
def watching(
    server: Server,
    *,
    interval: float = 0.5,
    window: float | None = None,
    key: str | None = None,
    taken: list[Sample] | None = None,
) -> Generator[Live]:
    record = None if taken is None else taken.append
    live = Live([server.url], interval=interval, window=window, api_key=key, discover=False, record=record)
    live.start()
    live.settle()
    try:
        yield live
    finally:
        live.stop()


def only(live: Live) -> EngineView:
    (view,) = live.snapshot().engines
    return view


def until(live: Live, holds: Callable[[EngineView], bool], seconds: float) -> EngineView:
    """The first view for which it holds; fails with the last one when the time is up."""
    deadline = time.monotonic() + seconds
    while not holds(view := only(live)):
        assert time.monotonic() < deadline, view
        time.sleep(0.05)
    return view


@pytest.mark.parametrize("streams", [1, 2, 4])
def test_decode_is_what_the_clients_count(small_model: Path, streams: int) -> None:
    """The middle of three windows: this machine may stand still for a moment, and then a client counts late."""
    with Server(small_model, "slots=4") as server, Clients(server, streams, tokens=1800) as clients:
        clients.wait_for(streams * 20)
        taken: list[Sample] = []
        ratios: list[float] = []
        running: list[float | None] = []
        with watching(server, window=3.0, taken=taken) as live:
            for _ in range(3):
                time.sleep(3.2)
                view = only(live)
                end = max(sample.time for sample in taken if isinstance(sample.reading, Engine))
                assert view.decode_tps is not None and view.window_s is not None
                ratios.append(view.decode_tps / clients.rate(end - view.window_s, end))
                running.append(view.requests_running)
                assert view.liveness == "token"
        assert statistics.median(ratios) == pytest.approx(1, abs=0.02)
        assert streams in running


def test_short_requests_back_to_back_are_not_lost(small_model: Path) -> None:
    with Server(small_model, "slots=1") as server, Clients(server, 1, tokens=60) as clients:
        with watching(server, interval=1.0, window=6.0) as live:
            time.sleep(4.0)  # time enough to learn that requests are short
            start, before = time.monotonic(), len(clients.moments)
            assert live.snapshot().engines
            time.sleep(6.2)
            view = only(live)
            seen = (len(clients.moments) - before) / (time.monotonic() - start)
        assert view.decode_tps == pytest.approx(seen, rel=0.1)


def test_the_rate_moves_while_one_long_answer_is_written(small_model: Path) -> None:
    with (
        Server(small_model) as server,
        watching(server, interval=0.3) as live,
        Clients(server, 1, tokens=500) as clients,
    ):
        clients.wait_for(30)
        seen: set[float] = set()
        while len(clients.moments) < 480:
            view = only(live)
            if view.decode_tps:
                seen.add(view.decode_tps)
            time.sleep(0.1)
        assert len(seen) >= 3


def test_prefill_is_seen_while_it_runs(small_model: Path) -> None:
    with (
        Server(small_model) as server,
        watching(server, interval=0.3) as live,
        Clients(server, 1, prompt="bada keke " * 60, tokens=8),
    ):
        view = until(live, lambda view: bool(view.prefill_tps), 20)
        assert view.prefill_source is not None and "n_prompt_tokens_processed" in view.prefill_source


def test_ceiling_and_model_come_from_the_very_file(small_model: Path) -> None:
    with Server(small_model) as server, watching(server) as live:
        model = only(live).model
        assert model is not None
        assert model.path == str(small_model)
        assert model.quantization == "Q4_0"
        assert model.basis is not None and "GGUF" in model.basis
        assert model.bytes_per_token is not None and model.weight_bytes is not None
        assert model.bytes_per_token < model.weight_bytes


def test_killed_is_gone_and_restarted_is_back_without_an_absurd_rate(small_model: Path) -> None:
    with Server(small_model) as server, Clients(server, 2) as clients, watching(server) as live:
        fastest = 20 * until(live, lambda view: bool(view.decode_tps), 20).decode_tps  # type: ignore[operator]
        server.kill()
        gone = until(live, lambda view: view.status == "unreachable", 3)
        assert gone.decode_tps is None
        assert gone.problem is not None and "nothing listens" in gone.problem
        server.start()
        deadline = time.monotonic() + 5
        while only(live).status != "ok":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        before = len(clients.moments)
        clients.wait_for(before + 50)
        for _ in range(20):
            rate = only(live).decode_tps
            assert rate is None or 0 <= rate < fastest
            time.sleep(0.1)
        texts = [event.text for event in live.snapshot().events]
        assert any("is gone" in text for text in texts)
        assert any("is back" in text or "is ready" in text for text in texts)  # ready, if it was seen loading


def test_without_slots_the_step_counter_is_read_and_named(small_model: Path) -> None:
    with Server(small_model, "noslots") as server, Clients(server, 2, tokens=400) as clients:
        clients.wait_for(40)
        with watching(server, window=4.0) as live:
            start = time.monotonic()
            time.sleep(4.2)
            view = only(live)
            seen = clients.rate(start, time.monotonic())
        assert view.liveness == "step"
        assert view.decode_source is not None and "n_decode_total" in view.decode_source
        assert view.decode_tps == pytest.approx(seen, rel=0.1)


def test_without_slots_rest_is_no_restart(small_model: Path) -> None:
    with Server(small_model, "noslots") as server, watching(server) as live:
        with Clients(server, 1, tokens=100) as clients:
            clients.wait_for(150)
            until(live, lambda view: bool(view.decode_tps), 10)
        view = until(live, lambda view: view.status == "idle" and view.decode_tps == 0.0, 15)
        time.sleep(2.5)
        assert only(live).status == "idle"
        assert view.decode_source is not None
        assert "n_decode_total" in view.decode_source
        assert not [event for event in live.snapshot().events if "restarted" in event.text]


def test_with_neither_source_no_rate_is_claimed(small_model: Path) -> None:
    with Server(small_model, "noslots", "nometrics") as server, watching(server) as live:
        view = only(live)
        assert view.decode_tps is None
        assert view.problem is not None and "--metrics" in view.problem


def test_a_key_is_asked_for_used_and_never_shown(small_model: Path) -> None:
    with Server(small_model, f"key={SECRET}") as server:
        with watching(server) as live:
            view = only(live)
            assert view.status == "unauthorized"
            assert view.problem is not None and "LLMTOP_API_KEY" in view.problem
        taken: list[Sample] = []
        with watching(server, key=SECRET, taken=taken) as live:
            assert only(live).status == "idle"
            assert SECRET not in repr(live.snapshot())
            assert SECRET not in repr(taken)


def test_an_idle_server_is_left_to_sleep_and_seen_asleep(small_model: Path) -> None:
    with Server(small_model, "sleep=2") as server, watching(server, interval=0.3) as live:
        until(live, lambda view: view.status == "sleeping", 10)
        time.sleep(2)
        assert only(live).status == "sleeping"
        with Clients(server, 1, tokens=100):
            until(live, lambda view: view.status == "ok" and bool(view.decode_tps), 20)
