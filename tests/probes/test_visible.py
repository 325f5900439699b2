"""Which devices are left to a process: its own environment, read for real, and command lines of several engines."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest
from llmtop.probes.process import Process
from llmtop.probes.visible import by_command, by_environment, visible_devices


@pytest.mark.parametrize(
    ("environment", "left"),
    [
        ({}, None),
        ({"CUDA_VISIBLE_DEVICES": "1"}, ("cuda1",)),
        ({"CUDA_VISIBLE_DEVICES": "1,0", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, ("nvidia1", "nvidia0")),
        ({"CUDA_VISIBLE_DEVICES": ""}, ()),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, ()),
        ({"CUDA_VISIBLE_DEVICES": "0,-1,1"}, ("cuda0",)),  # the CUDA guide: those before the first invalid one
        ({"CUDA_VISIBLE_DEVICES": "GPU-8f6c"}, ("GPU-8f6c",)),
        ({"CUDA_VISIBLE_DEVICES": " 2 , 3 "}, ("cuda2", "cuda3")),
        ({"HIP_VISIBLE_DEVICES": "1"}, ("rocm1",)),
    ],
)
def test_environment(environment: Mapping[str, str], left: tuple[str, ...] | None) -> None:
    assert by_environment(environment) == left


@pytest.mark.parametrize(
    ("command", "left", "used"),
    [
        ("llama-server -m x.gguf", None, None),
        ("llama-server -m x.gguf", ("nvidia1",), ("nvidia1",)),
        ("llama-server --device none", None, ()),
        ("llama-server --device CUDA1", None, ("cuda1",)),
        ("llama-server --device CUDA1", ("nvidia3", "nvidia2"), ("nvidia2",)),
        ("llama-server --device Vulkan1", ("nvidia3", "nvidia2"), ("vulkan1",)),
        ("llama-server --device=ROCm0,ROCm1", None, ("rocm0", "rocm1")),
        ("llama-server -sm none -mg 1", None, ("gpu1",)),
        ("llama-server -sm none", ("GPU-8f6c",), ("GPU-8f6c",)),
        ("llama-server -sm layer -mg 1", None, None),
        ("python -m sglang.launch_server --base-gpu-id 2 --tp-size 2", None, ("gpu2", "gpu3")),
        ("python -m sglang.launch_server --device cuda", None, None),
        ("transformers serve --device cuda:1", None, ("cuda1",)),
        ("transformers serve --device cpu", None, ()),
    ],
)
def test_command_line(command: str, left: tuple[str, ...] | None, used: tuple[str, ...] | None) -> None:
    assert by_command(Process(1, tuple(command.split()), "x"), left) == used


def test_the_environment_of_a_running_process() -> None:
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "1"}
    sleeper = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"], env=environment, stdin=-1, stdout=-1
    )
    try:
        assert sleeper.stdout is not None
        sleeper.stdout.readline()
        process = Process(sleeper.pid, ("python",), "python")
        assert visible_devices(process) == ("cuda1",)
    finally:
        sleeper.kill()
        sleeper.communicate()
    assert visible_devices(process) is None
