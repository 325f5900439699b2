"""A real engine that a simulated driver places on a GPU: power and ceiling are those of that GPU."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..hardware.simulated import compile_nvml, environment
from .engine import Clients, Server

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.skipif(shutil.which("cc") is None, reason="the simulated driver needs a C compiler")
def test_power_and_ceiling_are_those_of_the_gpu_that_its_process_is_on(small_model: Path, tmp_path: Path) -> None:
    state = tmp_path / "gpus.txt"
    settings = environment(compile_nvml("cc", tmp_path), state) | {"PYTHONPATH": str(ROOT / ".src")}
    with Server(small_model) as server, Clients(server, 1, tokens=1000) as clients:
        state.write_text(
            "gpu 0\nname NVIDIA GeForce RTX 3060\n"
            f"gpu 1\nname NVIDIA GeForce RTX 4090\npower 300000\ncompute {server.pid} 6442450944\n"
        )
        clients.wait_for(20)
        command = [sys.executable, "-m", "llmtop", "--json", "--url", server.url, "--no-discover"]
        document = json.loads(subprocess.run(command, env=settings, capture_output=True, check=True).stdout)
    assert [device["id"] for device in document["devices"]] == ["nvidia0", "nvidia1", "cpu"]
    (engine,) = document["engines"]
    assert engine["devices"] == ["nvidia1"]
    assert engine["power_w"] == 300.0
    assert engine["joules_per_token"] == pytest.approx(300.0 / engine["decode_tps"])
    peak = document["devices"][1]["bandwidth_gbs"]["peak"]
    assert engine["ceiling"]["decode_tps"] < peak * 1e9 / engine["model"]["bytes_per_token"]
    assert engine["ceiling"]["limit"] == "bandwidth"
    assert engine["expected"]["decode_tps"]["low"] < engine["expected"]["decode_tps"]["high"]


@pytest.mark.skipif(shutil.which("cc") is None, reason="the simulated driver needs a C compiler")
def test_two_engines_on_one_gpu_share_its_power_by_the_time_it_works_for_each(
    small_model: Path, tmp_path: Path
) -> None:
    state = tmp_path / "gpus.txt"
    settings = environment(compile_nvml("cc", tmp_path), state) | {"PYTHONPATH": str(ROOT / ".src")}
    with Server(small_model) as one, Server(small_model) as other:
        state.write_text(
            "gpu 0\nname NVIDIA GeForce RTX 4090\npower 400000\n"
            f"compute {one.pid} 6442450944\ncompute {other.pid} 6442450944\n"
            f"busy {one.pid} 60\nbusy {other.pid} 20\n"
        )
        command = [sys.executable, "-m", "llmtop", "--json", "--no-discover", "--url", one.url, "--url", other.url]
        document = json.loads(subprocess.run(command, env=settings, capture_output=True, check=True).stdout)
    drawn = {engine["url"]: engine["power_w"] for engine in document["engines"]}
    assert drawn == {one.url: pytest.approx(300.0), other.url: pytest.approx(100.0)}
