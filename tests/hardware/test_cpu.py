"""The CPU and the host, from trees that look like a machine."""

import time
from pathlib import Path

import pytest
from llmtop.probes.hardware.cpu.facts import cpu_facts
from llmtop.probes.hardware.cpu.name import SlowCpuName
from llmtop.probes.hardware.cpu.probe import CpuProbe
from llmtop.probes.hardware.cpu.probe import bandwidth as measured_bandwidth
from llmtop.probes.hardware.dimms.layout import MemoryFacts
from llmtop.probes.hardware.host.probe import HostProbe
from llmtop.probes.hardware.measured.measurement import Measurement, machine_key, save

from .memory_tables import machine, memory_device, write, write_table, write_udev
from .trees import processors
from .trees import put as put_file

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
@pytest.mark.parametrize("level", ["²", "", "three"])
def test_a_cache_of_no_level_is_none(tmp_path: Path, level: str) -> None:
    cache = "sys/devices/system/cpu/cpu0/cache/index3"
    for name, content in {"level": level, "size": "32768K", "type": "Unified"}.items():
        put_file(tmp_path, f"{cache}/{name}", content)
    assert cpu_facts(tmp_path).cache_bytes is None


@linux
def test_a_shared_cache_is_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for cpu in range(64):
        cache = f"sys/devices/system/cpu/cpu{cpu}/cache"
        own = {"level": "2", "size": "1024K", "type": "Unified", "shared_cpu_list": str(cpu)}
        last = {"level": "3", "size": "32768K", "type": "Unified", "shared_cpu_list": "0-31" if cpu < 32 else "32-63"}
        for index, facts in (("index2", own), ("index3", last)):
            for name, content in facts.items():
                put_file(tmp_path, f"{cache}/{index}/{name}", content)
    asked: list[Path] = []
    read = Path.read_text

    def watched(path: Path, *arguments: str) -> str:
        asked.append(path)
        return read(path, *arguments)

    monkeypatch.setattr(Path, "read_text", watched)
    assert cpu_facts(tmp_path).cache_bytes == 64 << 20
    assert len([path for path in asked if "cache" in path.parts]) == 8


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
def test_one_thread_is_one_thread() -> None:
    one = Measurement(
        machine="",
        date="2026-01-02T03:04:05Z",
        kernels_gbs={},
        best_gbs=40,
        spread=0.01,
        threads=1,
        buffer_bytes=1,
        seconds=1,
        gemm_tflops=1,
    )
    basis = "measured 2026-01-02: reading with 1 thread, spread 1%"
    assert measured_bandwidth(MemoryFacts(), one).basis == basis


def test_where_nobody_may_read_the_processors_clocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_interval: float | None) -> float:
        raise PermissionError(13, "Permission denied", "/proc/stat")

    monkeypatch.setattr("psutil.cpu_percent", denied)
    reader = probe(tmp_path)
    assert [reader.read().devices[0].utilization for _ in range(2)] == [None, None]


def test_a_server_as_its_owner_sees_it(tmp_path: Path) -> None:
    """Two EPYC 7302 in NPS4 would have eight nodes; one in NPS1, half populated."""
    put(tmp_path, proc__cpuinfo="model name\t: AMD EPYC 7302P 16-Core Processor\nflags\t: avx avx2\n")
    processors(tmp_path, cores=16, threads=2)
    write_table(tmp_path, machine("supermicro-epyc-half"))
    (device,) = probe(tmp_path).read().devices
    processor = device.processor
    assert processor is not None
    assert (processor.sockets, processor.numa_nodes, processor.threads) == (1, 1, 32)
    assert device.cores == 16
    assert processor.instructions == ("AVX2",)
    assert device.memory_type == "DDR"
    assert device.bandwidth_gbs.peak == pytest.approx(102.4)
    assert device.bandwidth_gbs.basis == ("4 channels at 3200 MT/s (SMBIOS); not measured yet: llmtop probe --measure")
    assert processor.memory is not None
    assert (processor.memory.slots, processor.memory.channels, processor.memory.channels_total) == (16, 4, 8)
    assert [module.slot for module in processor.memory.modules] == [
        f"DIMM{letter}2 P0_Node0_Channel{number}_Dimm1" for letter, number in (("C", 2), ("D", 3), ("G", 6), ("H", 7))
    ]
    assert device.remarks == ("4 of 8 memory channels are empty: the CPU reaches half of its bandwidth",)


@linux
@pytest.mark.parametrize(("name", "kind", "peak"), [("lunar-lake", "LPDDR", 136.528), ("strix-halo", "LPDDR", 256.0)])
def test_laptops_without_root(tmp_path: Path, name: str, kind: str, peak: float) -> None:
    put(tmp_path, proc__cpuinfo="model name\t: Some CPU\nflags\t: avx2\n")
    (device,) = probe(write_udev(tmp_path, machine(name))).read().devices
    assert device.memory_type == kind
    assert device.bandwidth_gbs.peak == pytest.approx(peak)
    assert not device.remarks


@linux
def test_a_container_of_a_big_machine(tmp_path: Path) -> None:
    put(
        tmp_path,
        proc__cpuinfo="model name\t: AMD EPYC 9654 96-Core Processor\nflags\t: avx2 avx512f\n",
        proc__meminfo="MemTotal: 67108864 kB\nMemAvailable: 33554432 kB\n",
        proc__self__status="Cpus_allowed_list:\t0-15\n",
        proc__self__cgroup="0::/\n",
        proc__self__mountinfo="1 2 0:3 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
    )
    put_file(tmp_path, ".dockerenv", "")
    put_file(tmp_path, "sys/fs/cgroup/memory.max", str(8 << 30))
    put_file(tmp_path, "sys/fs/cgroup/memory.current", str(3 << 30))
    put_file(tmp_path, "sys/fs/cgroup/cpu.max", "400000 100000")
    processors(tmp_path, cores=8, threads=2)
    (device,) = probe(tmp_path).read().devices
    assert (device.memory_total_bytes, device.memory_used_bytes) == (8 << 30, 3 << 30)
    assert device.processor is not None
    assert (device.processor.threads, device.processor.usable_cores) == (16, 4)
    assert device.remarks == ("the container (docker) may use 8 of 64 GiB of memory and 4 of 16 CPU threads",)


@linux
def test_a_virtual_machine_says_once_what_is_missing(tmp_path: Path) -> None:
    put(tmp_path, proc__cpuinfo="model name\t: AMD EPYC\nflags\t: avx2 hypervisor\n")
    reader = probe(tmp_path)
    for _ in range(2):
        (device,) = reader.read().devices
        assert len(device.unread) == 2
        assert [sentence.partition(":")[0] for sentence in device.unread] == ["power", "memory channels"]
        assert (device.problem, device.remarks, device.limits) == (None, (), ())


@linux
def test_lasting_facts_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, proc__cpuinfo="model name\t: AMD EPYC 7302P\nflags\t: avx2\n")
    processors(tmp_path, cores=64, threads=2)
    reader = probe(write_table(tmp_path, machine("supermicro-epyc-half")))
    first = reader.read()
    opened: list[str] = []
    text = Path.read_text

    def watched(path: Path, *arguments: str) -> str:
        opened.append(str(path))
        return text(path, *arguments)

    monkeypatch.setattr(Path, "read_text", watched)
    second = reader.read()
    assert len(opened) < 20
    assert not [path for path in opened if "topology" in path or "cpuinfo" in path or "dmi" in path]
    assert second.devices[0].processor == first.devices[0].processor


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
