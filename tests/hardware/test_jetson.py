"""Jetson modules of several generations, from the files of NVIDIA's kernels."""

from pathlib import Path

import pytest
from llmtop.estimator.catalogue.recognise import recognise
from llmtop.estimator.link import serving
from llmtop.probes.hardware.jetson.board import JetsonBoard
from llmtop.probes.hardware.jetson.probe import JetsonProbe, serves
from llmtop.probes.sample import Bandwidth, Device, DeviceProcess, Engine

from .recorded import forbidding
from .soc_box import Box


def only(reader: JetsonProbe) -> Device:
    (device,) = reader.read().devices
    return device


def test_agx_orin(tmp_path: Path) -> None:
    box = Box(tmp_path, "jetson/agx-orin")
    (reader,) = JetsonProbe.detect(box.root)
    assert serves(box.root)
    device = only(reader)
    assert (device.id, device.name, device.vendor) == ("jetson0", "Jetson AGX Orin 64GB", "NVIDIA")
    assert (device.architecture, device.driver) == ("8.7", "nvgpu, L4T 36.4.3")
    assert (device.kind, device.unified_memory, device.memory_type) == ("gpu", True, "LPDDR")
    assert (device.memory_total_bytes, device.memory_used_bytes) == (64_335_852 << 10, None)
    assert (device.utilization, device.sm_clock_mhz) == (0.734, 612)
    assert (device.temperature_c, device.hotspot_c) == (47.5, 52.25)
    assert device.power_w == pytest.approx(7.6 + 1.9 + 4.5 + 1.0)
    assert (device.power_limit_w, device.power_limit_default_w) == (15, 30)
    assert (device.power_limit_min_w, device.power_limit_max_w) == (15, 50)
    (limit,) = device.limits
    assert (limit.name, limit.value_w, limit.where) == ("module, mode 15W", 15, "nvpmodel")
    assert device.bandwidth_gbs.peak == pytest.approx(136.5, rel=0.001), "2133 MHz x 2 x 256 bit"
    assert device.throttle_reasons == ()
    assert device.unread == ()
    assert device.remarks[0] == (
        "its power is that of the whole module (VDD_GPU_SOC + VDD_CPU_CV + VIN_SYS_5V0 + VDDQ_VDD2_1V8AO)"
    )
    assert device.remarks[1].endswith("MAXN has no cap: sudo nvpmodel -m 0")


def test_mode_without_a_cap_leaves_the_bandwidth_to_the_catalogue(tmp_path: Path) -> None:
    box = Box(tmp_path, "jetson/agx-orin")
    reader = JetsonProbe(root=box.root)
    only(reader)
    box.put("var/lib/nvpmodel/status", "pmode:0000 fmode:quiet")
    device = only(reader)
    assert (device.bandwidth_gbs, device.power_limit_w, len(device.remarks)) == (Bandwidth(), None, 1)
    assert recognise(device).bandwidth_gbs.peak == 204.8
    box.put("var/lib/nvpmodel/status", "pmode:0042")
    assert only(reader).limits == ()
    box.at("var/lib/nvpmodel/status").unlink()
    assert only(reader).power_limit_w == 30, "as it boots"


def test_events_of_too_much_current(tmp_path: Path) -> None:
    box = Box(tmp_path, "jetson/agx-orin")
    reader = JetsonProbe(root=box.root)
    assert only(reader).throttle_reasons == ()
    box.put("sys/class/hwmon/hwmon5/oc3_event_cnt", 1)
    assert only(reader).throttle_reasons == ("over-current",)
    assert only(reader).throttle_reasons == ()


def test_orin_nano_super_in_the_mode_that_it_boots_into(tmp_path: Path) -> None:
    box = Box(tmp_path, "jetson/orin-nano-super")
    device = only(JetsonProbe(root=box.root))
    assert (device.name, device.utilization) == ("Jetson Orin Nano Super 8GB", 1.0)
    assert device.power_w == pytest.approx(12.0), "VDD_IN feeds the other two"
    assert device.power_limit_w == 15
    assert device.bandwidth_gbs.peak == pytest.approx(68.3, abs=0.1), "NVIDIA's figure of the module before Super: 68"
    assert device.remarks[1] == (
        "power mode 15W holds the memory at 2133 MHz, and decoding with it; MAXN SUPER has no cap: sudo nvpmodel -m 2"
    )
    known = recognise(device)
    assert known.bandwidth_gbs == device.bandwidth_gbs
    assert "Jetson Orin Nano Super 8GB" in (known.compute_tflops.basis or "")


def test_what_the_driver_tells_itself_is_kept(tmp_path: Path) -> None:
    board = JetsonBoard.find(Box(tmp_path, "jetson/orin-nano-super").root)
    assert board is not None
    told = Device(id="nvidia0", name="Orin", vendor="NVIDIA", kind="gpu", power_w=9.0, temperature_c=41.0)
    device = board.complete(told)
    assert (device.power_w, device.temperature_c) == (9, 41)
    assert not any("whole module" in words for words in device.remarks)


def test_xavier_nx_with_jetpack_4(tmp_path: Path) -> None:
    box = Box(tmp_path, "jetson/xavier-nx-jp4")
    device = only(JetsonProbe(root=box.root))
    assert (device.name, device.architecture) == ("Jetson Xavier NX 8GB", "7.2")
    assert (device.driver, device.utilization, device.sm_clock_mhz) == ("nvgpu, L4T 32.7.1", 0.25, 1109.25)
    assert device.power_w == pytest.approx(9.344)
    assert (device.temperature_c, device.power_limit_w) == (44, 20)
    assert device.bandwidth_gbs.peak == pytest.approx(59.7, abs=0.1)
    assert len(device.remarks) == 1, "no mode has faster memory"


def test_thor_is_left_to_nvml_and_completed(tmp_path: Path) -> None:
    box = Box(tmp_path, "jetson/agx-thor")
    assert JetsonProbe.detect(box.root) == []
    assert not serves(box.root)
    board = JetsonBoard.find(box.root)
    assert board is not None
    told = Device(id="nvidia0", name="NVIDIA Thor", vendor="NVIDIA", kind="gpu", utilization=0.97, temperature_c=55.0)
    device = board.complete(told)
    assert (device.id, device.name, device.utilization, device.temperature_c) == ("nvidia0", "NVIDIA Thor", 0.97, 55)
    assert (device.unified_memory, device.memory_total_bytes) == (True, 128_820_000 << 10)
    assert (device.architecture, device.power_limit_w, device.sm_clock_mhz) == ("11.0", 120, 1575)
    assert device.unread == ("power: no meter of the module is found (INA3221)",)
    assert board.complete(Device(id="n", name="n", vendor="NVIDIA", kind="gpu", power_w=40.0)).unread == ()


@pytest.mark.parametrize(
    ("model", "words", "memory_kib", "name"),
    [
        (
            "NVIDIA Jetson Orin NX Engineering Reference Developer Kit",
            "p3768-0000+p3767-0000",
            15_900_000,
            "Orin NX 16GB",
        ),
        ("Seeed reComputer J3010", "p3768-0000+p3767-0004", 3_800_000, "Orin Nano 4GB"),
        ("Jetson-AGX", "p2972-0000+p2888-0004", 31_900_000, "AGX Xavier 32GB"),
        (
            "NVIDIA Jetson Nano Developer Kit",
            "jetson-nano\0nvidia,p3449-0000-b00+p3448-0000-b00",
            4_060_000,
            "Nano 4GB",
        ),
        ("NVIDIA Jetson TX2 Developer Kit", "quill", 7_900_000, "TX2 8GB"),
    ],
)
def test_names(tmp_path: Path, model: str, words: str, memory_kib: int, name: str) -> None:
    box = Box(tmp_path)
    box.put("proc/device-tree/model", f"{model}\0")
    box.put("proc/device-tree/compatible", f"nvidia,{words}\0nvidia,tegra234\0")
    box.put("proc/meminfo", f"MemTotal: {memory_kib} kB\nMemAvailable: 1000 kB")
    board = JetsonBoard.find(box.root)
    assert board is not None
    assert board.name == f"Jetson {name}"


def test_who_has_the_device_open(tmp_path: Path) -> None:
    box = Box(tmp_path, "jetson/orin-nano-super")
    reader = JetsonProbe(root=box.root, clock=box.clock)
    assert only(reader).processes is None, "the GPU is at work for somebody"
    box.put("GPU/load", 30)
    assert only(reader).processes == ()
    for pid, target in ((300, "/dev/nvgpu/igpu0/ctrl"), (301, "/dev/nvhost-as-gpu"), (302, "/dev/nvmap")):
        link = box.at(f"proc/{pid}/fd/7")
        link.parent.mkdir(parents=True)
        link.symlink_to(target)
    assert only(reader).processes == (), "looked for a moment ago"
    box.now += 5
    assert only(reader).processes == (DeviceProcess(300), DeviceProcess(301))
    engine = Engine(engine="llama.cpp", url="u", status="ok", pid=300, pids=(300,))
    device = only(reader)
    assert serving(engine, [device]) == [device]
    box.at("proc/300/fd/7").unlink()
    box.now += 5
    assert only(reader).processes == (DeviceProcess(301),)


def test_what_cannot_be_read_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box(tmp_path, "jetson/orin-nano-super")
    reader = JetsonProbe(root=box.root)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", forbidding("load", "curr1_input", "temp", "cur_freq"))
        device = only(reader)
    assert (device.utilization, device.power_w, device.temperature_c, device.sm_clock_mhz) == (None, None, None, None)
    assert only(reader).power_w == pytest.approx(12.0)
    box.put("GPU/load", "busy")
    box.put("sys/class/hwmon/hwmon1/curr1_input", -70_000_000)
    box.at("sys/class/thermal/thermal_zone1/temp").unlink()
    device = only(reader)
    assert (device.utilization, device.power_w, device.temperature_c) == (None, None, None)


def test_absence_is_quiet(tmp_path: Path) -> None:
    assert JetsonProbe.detect(tmp_path) == []
    assert JetsonBoard.find(tmp_path) is None
    assert JetsonProbe(root=tmp_path).read().devices == ()


def test_rails_of_the_carrier_feed_the_module_and_count_no_second_time(tmp_path: Path) -> None:
    """As on IGX Orin, whose carrier has a meter of its own (tegra234-p3701-0008.dtsi)."""
    box = Box(tmp_path, "jetson/agx-orin")
    before = only(JetsonProbe(root=box.root))
    box.put("sys/class/hwmon/hwmon9/name", "ina3221")
    for channel, name, millivolts in ((1, "CVB_ATX_12V", 12_000), (2, "CVB_ATX_3V3", 3_300), (3, "CVB_ATX_5V", 5_000)):
        box.put(f"sys/class/hwmon/hwmon9/in{channel}_label", name)
        box.put(f"sys/class/hwmon/hwmon9/in{channel}_input", millivolts)
        box.put(f"sys/class/hwmon/hwmon9/curr{channel}_input", 1_000)
    after = only(JetsonProbe(root=box.root))
    assert (after.power_w, after.remarks) == (before.power_w, before.remarks)


def test_numbers_of_the_modes_that_are_none(tmp_path: Path) -> None:
    box = Box(tmp_path, "jetson/agx-orin")
    box.put("var/lib/nvpmodel/status", "pmode:" + "9" * 5000)
    device = only(JetsonProbe(root=box.root))
    assert (device.limits, device.problem) == ((), None)
