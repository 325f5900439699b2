"""A real llama-server, kept busy by llmtop, on a simulated GPU whose limit it does not mind: it works on the CPU."""

import json
import re
from http.client import HTTPConnection
from pathlib import Path

import pytest

from ..limits.waiting import running as processes
from ..real.engine import Server
from .running import Running, until

GPU = """gpu 0
name NVIDIA GeForce RTX 4090
limit 450000
limit_default 450000
limit_min 150000
limit_max 600000
power 212000
temperature 60
sm_clock 2500
utilization 99
"""


def own_rate(server: Server) -> float:
    """Tokens/s by the engine's own count and clock, over all requests that have ended."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    tokens, seconds = (
        float(re.findall(rf"^llamacpp:tokens_predicted{name}_total (\S+)", text, re.MULTILINE)[0])
        for name in ("", "_seconds")
    )
    return tokens / seconds


def test_a_sweep_under_its_own_load(small_model: Path, nvml_library: Path, tmp_path: Path) -> None:
    state = tmp_path / "nvml.txt"
    state.write_text(GPU)
    with Server(small_model, "slots=1") as server:
        arguments = ("--device", "0", "--load", "generate", "--steps", "3", "--settle", "0.5", "--measure", "4")
        with Running(nvml_library, state, "--url", server.url, *arguments, "--json") as run:
            run.wait_for_change()
            assert run.end() == 0, run.said
            told = json.loads(run.seen)
        own = own_rate(server)
    assert {point["power_limit_w"] for point in told["points"]} == {450.0, 300.0, 150.0}
    seconds = sum(point["seconds"] for point in told["points"])
    mean = sum(point["decode_tps"] * point["seconds"] for point in told["points"]) / seconds
    assert mean == pytest.approx(own, rel=0.1)
    assert all(point["power_w"] == pytest.approx(212.0, abs=1.0) for point in told["points"])
    phase = told["phases"]["decode"]
    honest = " ".join(phase["sentences"])
    if told["chosen"] is not None:
        assert told["chosen"]["power_limit_w"] == phase["never_binds_from_w"] == 150.0 and told["saved_w"] == 0.0
        assert "is ever reached: it draws 212 W" in honest
    else:
        assert "Cannot tell" in honest or "too uneven" in honest or "may keep enough" in honest
    assert any("runs on cpu" in remark for remark in told["remarks"])
    assert told["restored"] is True and run.limit_w() == 450.0
    until(lambda: not processes(tmp_path / "state"), "the end of the watchdog")
