"""Processes on an AMD GPU: those with open files, those of ROCm, and both."""

from pathlib import Path

import pytest
from llmtop.estimator.link import serving
from llmtop.probes.sample import DeviceProcess, Engine

from .amd_machine import AmdMachine
from .test_drm_processes import AMDGPU

GIB = 1 << 30


def opened(machine: AmdMachine, pid: int, *, vram: int, gtt: int = 0, card: str = "0000:03:00.0") -> None:
    text = AMDGPU.format(client=pid, card=card, vram=vram >> 10, total=vram >> 10, gtt=gtt >> 10, gfx=0, compute=0)
    machine.put(f"proc/{pid}/fdinfo/9", text)
    if not machine.path(f"proc/{pid}/fd/9").is_symlink():
        machine.link(f"proc/{pid}/fd/9", "/dev/dri/renderD128")


def test_process_of_rocm_is_known_whoever_runs_it(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "rx7900xtx")
    machine.put("@/mem_info_vram_used", f"{20 * GIB}")
    machine.put("proc/1/stat", "")
    machine.put("sys/class/kfd/kfd/proc/4711/vram_60928", f"{18 * GIB}")
    machine.put("sys/class/kfd/kfd/proc/4712/vram_11111", f"{18 * GIB}")
    assert machine.read().processes == (DeviceProcess(4711, 18 * GIB, None),)


def test_its_share_of_the_time_is_unknown(tmp_path: Path) -> None:
    """The queues of ROCm are not those that the engines of its open files count."""
    machine = AmdMachine(tmp_path, "rx7900xtx")
    opened(machine, 4711, vram=17 * GIB)
    opened(machine, 5000, vram=GIB)
    machine.put("sys/class/kfd/kfd/proc/4711/vram_60928", f"{18 * GIB}")
    probe = machine.probe()
    probe.read()
    machine.now += 4
    (card,) = probe.read().devices
    assert card.processes == (DeviceProcess(4711, 18 * GIB, None), DeviceProcess(5000, GIB, 0.0))


def test_pids_of_the_machine_mean_nothing_in_a_container(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "rx7900xtx")
    machine.put("@/mem_info_vram_used", f"{20 * GIB}")
    machine.put("sys/class/kfd/kfd/proc/4711/vram_60928", f"{18 * GIB}")
    machine.link("proc/self/ns/pid", "pid:[4026532999]")
    assert machine.read().processes is None


def test_on_an_apu_main_memory_counts(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "strixhalo")
    opened(machine, 4711, vram=GIB, gtt=59 * GIB, card="0000:c1:00.0")
    assert machine.read().processes == (DeviceProcess(4711, 60 * GIB, None),)


@pytest.mark.parametrize("used", [19 * GIB, 100 << 20])
def test_what_it_tells_of_an_engine(tmp_path: Path, used: int) -> None:
    """Its process is named; or nobody is and the memory is in use, so it stays open; or next to none is: the CPU."""
    machine = AmdMachine(tmp_path, "rx7900xtx")
    machine.put("@/mem_info_vram_used", f"{used}")
    machine.put("proc/1/stat", "")
    engine = Engine(engine="llama.cpp", url="http://127.0.0.1:8080", status="ok", pids=(4711,))
    cpu = machine.read().__class__(id="cpu", name="CPU", vendor="AMD", kind="cpu")
    expected = [] if used > GIB else [cpu]
    assert serving(engine, [machine.read(), cpu]) == expected
    opened(machine, 4711, vram=18 * GIB)
    assert [device.id for device in serving(engine, [machine.read(), cpu])] == ["amd0"]
