"""The CPU and the host, from trees that look like a machine."""

import time
from pathlib import Path

import pytest
from llmtop.probes.hardware.cpu import CpuProbe
from llmtop.probes.hardware.cpu_facts import cpu_facts
from llmtop.probes.hardware.cpu_name import SlowCpuName
from llmtop.probes.hardware.host import HostProbe
from llmtop.probes.hardware.measurement import Measurement, machine_key, save

from .test_smbios import memory_device, write

linux = pytest.mark.skipif("sys.platform == 'darwin'", reason="reads the trees of Linux")


class NoName(SlowCpuName):
    """Never asks anybody."""

    @property
    def value(self) -> str | None:
        return None


def put(root: Path, **files: str) -> None:
    """Writes files, `__` standing for the slash."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def probe(root: Path, cache: Path | None = None) -> CpuProbe:
    return CpuProbe(root=root, cache=cache or root / "none.json", slow_name=NoName())


def test_bare_machine_is_quiet(tmp_path: Path) -> None:
    reader = probe(tmp_path)
    (first,) = reader.read().devices
    (second,) = reader.read().devices
    assert first.utilization is None
    assert second.utilization is not None
    assert 0 <= second.utilization <= 1
    assert (second.id, second.kind, second.problem) == ("cpu", "cpu", None)
    assert second.name
    assert (second.power_w, second.temperature_c, second.bandwidth_gbs.peak) == (None, None, None)
    assert second.bandwidth_gbs.measured is None
    assert second.bandwidth_gbs.basis == "not measured yet: llmtop probe --measure"
    assert second.memory_total_bytes
    assert second.cores


@linux
def test_name_and_vendor(tmp_path: Path) -> None:
    put(
        tmp_path,
        proc__cpuinfo="processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R)  Xeon(R) \nflags\t:\n",
    )
    facts = cpu_facts(tmp_path)
    assert (facts.name, facts.vendor) == ("Intel(R) Xeon(R)", "Intel")


@linux
def test_arm_prints_no_name(tmp_path: Path) -> None:
    put(tmp_path, proc__cpuinfo="processor\t: 0\nBogoMIPS\t: 2000.00\nCPU implementer\t: 0x41\n")
    facts = cpu_facts(tmp_path)
    assert (facts.name, facts.vendor) == (None, "Arm")


@linux
def test_caches_of_the_highest_level_are_summed_once_each(tmp_path: Path) -> None:
    for cpu in range(4):
        base = f"sys__devices__system__cpu__cpu{cpu}__cache"
        put(
            tmp_path,
            **{
                f"{base}__index0__level": "1\n",
                f"{base}__index0__size": "32K\n",
                f"{base}__index0__type": "Instruction\n",
                f"{base}__index3__level": "3\n",
                f"{base}__index3__size": "32768K\n",
                f"{base}__index3__type": "Unified\n",
                f"{base}__index3__shared_cpu_list": "0-1\n" if cpu < 2 else "2-3\n",
            },
        )
    assert cpu_facts(tmp_path).cache_bytes == 64 << 20


@linux
@pytest.mark.parametrize(
    ("driver", "label", "degrees"),
    [
        ("coretemp", "Package id 0", 61.0),
        ("k10temp", "Tctl", 61.0),
        ("cpu_thermal", None, 61.0),
        ("nvme", "Tctl", None),
    ],
)
def test_temperature(tmp_path: Path, driver: str, label: str | None, degrees: float | None) -> None:
    chip = "sys__class__hwmon__hwmon3"
    put(tmp_path, **{f"{chip}__name": f"{driver}\n", f"{chip}__temp1_input": "61000\n"})
    if label:
        put(
            tmp_path,
            **{f"{chip}__temp1_label": label, f"{chip}__temp2_input": "99000", f"{chip}__temp2_label": "Core 0"},
        )
    assert probe(tmp_path).read().devices[0].temperature_c == degrees


@linux
def test_temperature_that_cannot_be_read_now(tmp_path: Path) -> None:
    put(tmp_path, sys__class__hwmon__hwmon0__name="k10temp", sys__class__hwmon__hwmon0__temp1_input="")
    assert probe(tmp_path).read().devices[0].temperature_c is None


def test_bandwidth_on_paper_and_measured(tmp_path: Path) -> None:
    write(tmp_path, memory_device("DIMM 0", "P0 CHANNEL A"), memory_device("DIMM 0", "P0 CHANNEL B"))
    cache = tmp_path / "bandwidth.json"
    reader = probe(tmp_path, cache)
    bandwidth = reader.read().devices[0].bandwidth_gbs
    assert bandwidth.peak == pytest.approx(96)
    assert bandwidth.measured is None
    save(
        Measurement(
            machine=machine_key(),
            date="2026-01-02T03:04:05Z",
            kernels_gbs={"read": 77},
            best_gbs=77,
            spread=0.012,
            threads=6,
            buffer_bytes=1,
            seconds=1,
            gemm_tflops=0.75,
        ),
        cache,
    )
    device = reader.read().devices[0]
    assert device.bandwidth_gbs.measured == 77
    assert device.bandwidth_gbs.basis == (
        "2 channels at 6000 MT/s (SMBIOS); measured 2026-01-02: reading with 6 threads, spread 1%"
    )
    assert device.compute_tflops.fp32 == 0.75


@linux
def test_power_trouble_is_the_devices_problem(tmp_path: Path) -> None:
    put(tmp_path, **{"sys__class__powercap__intel-rapl:0__name": "package-0"})
    (tmp_path / "sys/class/powercap/intel-rapl:0/energy_uj").mkdir()
    (device,) = probe(tmp_path).read().devices
    assert (device.power_w, device.problem) == (None, None)


def test_host(tmp_path: Path) -> None:
    host = HostProbe(root=tmp_path, slow_name=NoName()).read()
    assert host.name
    assert host.os
    assert host.cores
    assert host.memory_total_bytes
    assert host.memory_used_bytes
    assert 0 < host.memory_used_bytes < host.memory_total_bytes


def test_slow_name_never_keeps_the_reader_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    class Cpuinfo:
        @staticmethod
        def get_cpu_info() -> dict[str, object]:
            calls.append(1)
            time.sleep(0.2)
            return {"brand_raw": "Neoverse-N1"}

    monkeypatch.setitem(__import__("sys").modules, "cpuinfo", Cpuinfo)
    name = SlowCpuName()
    start = time.monotonic()
    assert name.value is None
    assert name.value is None
    assert time.monotonic() - start < 0.1
    deadline = start + 5
    while name.value is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert name.value == "Neoverse-N1"
    assert calls == [1]
