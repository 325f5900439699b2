"""Intel GPUs of several generations, from the files of i915 and xe."""

import os
import time
from pathlib import Path
from threading import Event

import pytest
from llmtop.estimator.catalogue.recognise import recognise
from llmtop.probes.hardware.intel.names import intel_name
from llmtop.probes.hardware.intel.probe import IntelProbe
from llmtop.probes.hardware.intel.query import RenderNode
from llmtop.probes.sample import Device, Pcie
from msgspec.structs import replace

from .intel_kernel import GIB, Kernel, arc_a770, arc_b580, integrated
from .recorded import forbidding
from .soc_box import Box


def probe(box: Box, kernel: Kernel) -> IntelProbe:
    return IntelProbe(root=box.root, clock=box.clock, ioctl=kernel)


def only(reader: IntelProbe) -> Device:
    (device,) = reader.read().devices
    return device


def busy_second(box: Box, energy: str, joules: int, idle: str, rested_ms: int) -> None:
    box.now += 1
    box.add(energy, joules * 1_000_000)
    box.add(idle, rested_ms)


def test_arc_a770_with_i915(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/a770-i915")
    kernel = arc_a770()
    (reader,) = IntelProbe.detect(box.root)
    assert reader.name == "intel"
    reader = probe(box, kernel)
    first = only(reader)
    assert (first.id, first.name, first.vendor, first.kind) == ("intel0", "Intel Arc A770", "Intel", "gpu")
    assert (first.architecture, first.pci_id, first.pci_address) == ("Xe1", "8086:56a0", "0000:03:00.0")
    assert (first.power_w, first.utilization, first.energy_j) == (None, None, 0.0)
    busy_second(box, "GPU/hwmon/hwmon5/energy1_input", 171, "GPU/drm/card1/gt/gt0/rc6_residency_ms", 200)
    device = only(reader)
    assert (device.power_w, device.energy_j) == pytest.approx((171, 171))
    assert device.utilization == pytest.approx(0.8)
    assert device.sm_clock_mhz == 2400
    assert (device.memory_total_bytes, device.memory_used_bytes) == (16 * GIB, None)
    assert (device.unified_memory, device.cores) == (False, 4096)
    assert device.pcie == Pcie(generation=4, width=16, generation_max=4, width_max=16)
    assert (device.power_limit_w, device.power_limit_default_w, device.power_limit_max_w) == (190, 225, None)
    (limit,) = device.limits
    assert (limit.name, limit.value_w, limit.window_s) == ("card long term", 190, 28)
    assert limit.where.endswith("hwmon5/power1_max")
    assert device.throttle_reasons == ()
    assert device.temperature_c is None
    assert len(device.unread) == 2
    assert "CAP_PERFMON" in device.unread[0]
    assert device.unread[1].startswith("temperature: i915, ")
    assert device.remarks == ()
    assert (device.driver or "").startswith("i915, ")


def test_i915_tells_reasons_temperature_and_memory_in_use(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/a770-i915")
    gt = "GPU/drm/card1/gt/gt0"
    for name in ("status", "pl1", "vr_thermalert"):
        box.put(f"{gt}/throttle_reason_{name}", 1)
    box.put("GPU/hwmon/hwmon5/temp1_input", 66_000)
    device = only(probe(box, arc_a770(perfmon=True, visible=GIB // 4)))
    assert device.throttle_reasons == ("power cap", "voltage regulators too hot")
    assert device.temperature_c == 66
    assert device.memory_used_bytes == 5 * GIB
    assert device.unread == ()
    (words,) = device.remarks
    assert words.startswith("the CPU reaches 256 MiB of its 16384 MiB of memory: the resizable BAR is off; ")


def test_arc_b580_with_xe_that_knows_little_of_it(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/b580-xe-6.11")
    reader = probe(box, arc_b580())
    only(reader)
    box.now += 2
    box.add("GPU/tile0/gt0/gtidle/idle_residency_ms", 500)
    device = only(reader)
    assert (device.name, device.architecture, device.cores) == ("Intel Arc B580", "Xe2", 2560)
    assert device.memory_total_bytes == 12 * GIB
    assert (device.power_w, device.energy_j, device.limits, device.temperature_c) == (None, None, (), None)
    assert device.utilization == pytest.approx(0.75)
    assert device.sm_clock_mhz == 2850
    assert device.throttle_reasons == ("power cap", "too hot")
    assert device.unread[1].startswith("power and temperature: xe, ")


def test_arc_b580_with_xe_of_today(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/b580-xe-6.17")
    reader = probe(box, arc_b580(perfmon=True))
    only(reader)
    busy_second(box, "GPU/hwmon/hwmon3/energy1_input", 150, "GPU/tile0/gt0/gtidle/idle_residency_ms", 0)
    box.add("GPU/hwmon/hwmon3/energy2_input", 90_000_000)
    device = only(reader)
    assert (device.power_w, device.utilization) == pytest.approx((150, 1.0)), "of the card, not of the package"
    assert (device.temperature_c, device.memory_temperature_c) == (61, 74)
    assert device.memory_used_bytes == 7 * GIB
    assert device.throttle_reasons == ("power cap", "current of the voltage regulators")
    assert device.power_limit_w == 190
    assert [(limit.name, limit.value_w, limit.window_s) for limit in device.limits] == [
        ("card long term", 190, 0.028),
        ("card short term", 228, 0.002),
        ("card peak", 350, None),
        ("package long term", 140, 0.028),
        ("package short term", None, None),
    ]
    assert (device.unread, device.remarks) == ((), ())
    box.put("GPU/tile0/gt0/freq0/throttle/reasons", "none")
    box.now += 1
    assert only(reader).throttle_reasons == ()


def test_max_1550_is_one_device_of_two_tiles(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/max-1550-xe")
    tile = (True, 64 * GIB, 10 * GIB, 64 * GIB)
    kernel = Kernel([(False, 512 * GIB, 0, 0), tile, tile], [(64, 8), (64, 8)], wide=True, perfmon=True)
    reader = probe(box, kernel)
    only(reader)
    box.now += 1
    box.add("GPU/hwmon/hwmon7/energy2_input", 480_000_000)
    box.add("GPU/tile0/gt0/gtidle/idle_residency_ms", 100)
    box.add("GPU/tile1/gt1/gtidle/idle_residency_ms", 300)
    device = only(reader)
    assert (device.name, device.architecture) == ("Intel Data Center GPU Max 1550", "Xe-HPC")
    assert (device.memory_total_bytes, device.memory_used_bytes) == (128 * GIB, 20 * GIB)
    assert device.cores == 16_384
    assert device.utilization == pytest.approx(0.8)
    assert device.sm_clock_mhz == 1600
    assert device.throttle_reasons == ("too hot (told by the board)",)
    assert (device.power_w, device.power_limit_w, device.power_limit_max_w) == pytest.approx((480, 600, 600))
    assert any("GPU package" in words for words in device.remarks)


@pytest.mark.parametrize(
    ("machine", "kernel", "names", "memory_kib"),
    [
        ("iris-xe-i915", integrated(6, 16, wide=False), ("Iris Xe Graphics", "Xe-LP"), 16_000_000),
        ("lunar-lake-xe", integrated(8, 8, wide=True), ("Arc 140V", "Xe2"), 32_000_000),
        ("lunar-lake-xe", integrated(7, 8, wide=True), ("Arc 130V", "Xe2"), 32_000_000),
        ("uhd-630-i915-5.4", integrated(3, 8, wide=False), ("UHD Graphics 630", None), 16_000_000),
    ],
)
def test_integrated_gpus_have_the_memory_of_the_host(
    tmp_path: Path, machine: str, kernel: Kernel, names: tuple[str, str | None], memory_kib: int
) -> None:
    box = Box(tmp_path, f"intel/{machine}")
    device = only(probe(box, kernel))
    assert (device.name, device.architecture, device.unified_memory) == (f"Intel {names[0]}", names[1], True)
    assert (device.memory_total_bytes, device.memory_used_bytes) == (memory_kib << 10, None)
    assert (device.power_w, device.pcie, device.limits) == (None, None, ())
    assert device.unread == ()
    assert device.remarks == ("its power is counted with that of the CPU",)
    assert device.sm_clock_mhz is not None


def test_bandwidth_of_an_integrated_gpu_is_that_of_the_memory_as_it_is_fitted(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/iris-xe-i915")
    device = recognise(only(probe(box, integrated(6, 16, wide=False))))
    assert device.bandwidth_gbs.peak == 25.6, "one module of DDR4-3200, where the catalogue has two"
    assert device.memory_type == "DDR"
    assert device.compute_tflops.fp16 == 4


def test_an_integrated_gpu_at_rest_has_no_user_and_one_at_work_may_have_one_that_is_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that an engine on the CPU of a laptop is not taken for one on its GPU (`estimator.link.serving`)."""
    box = Box(tmp_path, "intel/lunar-lake-xe")
    box.put("proc/42/comm", "ollama")
    scan = os.scandir

    def closed(folder: str) -> object:
        if str(folder).endswith("/42/fd"):
            raise PermissionError(13, "Permission denied", folder)
        return scan(folder)

    monkeypatch.setattr(os, "scandir", closed)
    reader = probe(box, integrated(8, 8, wide=True))
    only(reader)
    for rested_ms, processes in ((900, ()), (100, None)):
        box.now += 1
        box.add("GPU/tile0/gt0/gtidle/idle_residency_ms", rested_ms)
        assert only(reader).processes == processes


def test_a_clock_that_somebody_limited_is_told(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/b580-xe-6.11")
    box.put("GPU/tile0/gt0/freq0/max_freq", 2000)
    assert only(probe(box, arc_b580())).throttle_reasons == ("clock limit", "power cap", "too hot")
    box = Box(tmp_path / "2", "intel/a770-i915")
    box.put("GPU/drm/card1/gt/gt0/rps_max_freq_mhz", 1200)
    assert only(probe(box, arc_a770())).throttle_reasons == ("clock limit",)


def test_a_card_that_is_unplugged_is_gone_and_comes_back(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/b580-xe-6.17")
    reader = probe(box, arc_b580())
    only(reader)
    uevent = box.at("GPU/uevent")
    text = uevent.read_text()
    uevent.unlink()
    device = only(reader)
    assert (device.name, device.power_w) == ("Intel Arc B580", None)
    assert device.problem == "it is gone: unplugged, or its driver has been unloaded"
    uevent.write_text(text)
    assert only(reader).problem is None


def test_old_i915_tells_clock_and_rest_of_the_card(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/uhd-630-i915-5.4")
    reader = probe(box, integrated(3, 8, wide=False))
    only(reader)
    box.now += 1
    box.add("GPU/drm/card0/power/rc6_residency_ms", 900)
    device = only(reader)
    assert (device.sm_clock_mhz, device.utilization) == pytest.approx((350, 0.1))


def test_a_card_that_sleeps_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box(tmp_path, "intel/b580-xe-6.17")
    kernel = arc_b580()
    reader = probe(box, kernel)
    only(reader)
    asked = kernel.asked
    box.put("GPU/power/runtime_status", "suspended")
    box.now += 1
    touched: list[str] = []
    read = Path.read_text

    def watching(path: Path, *arguments: str) -> str:
        touched.append(path.name)
        return read(path, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", watching)
        device = only(reader)
    assert touched == ["runtime_status"]
    assert kernel.asked == asked
    assert (device.name, device.memory_total_bytes, device.power_w) == ("Intel Arc B580", 12 * GIB, None)
    assert device.problem == "it sleeps: nothing runs on it, and to read its sensors would wake it"
    box.put("GPU/power/runtime_status", "active")
    box.now += 100
    box.put("GPU/hwmon/hwmon3/energy1_input", 950_000_000)
    awake = only(reader)
    assert (awake.problem, awake.power_w, awake.energy_j) == (None, None, 0.0)
    box.now += 1
    box.put("GPU/hwmon/hwmon3/energy1_input", 980_000_000)
    assert only(reader).power_w == pytest.approx(30)


def test_a_card_that_sleeps_from_the_start_is_named_and_met_once_it_is_awake(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/b580-xe-6.17")
    box.put("GPU/power/runtime_status", "suspended")
    kernel = arc_b580()
    reader = probe(box, kernel)
    device = only(reader)
    assert (device.name, device.memory_total_bytes, kernel.asked) == ("Intel Arc B580", None, 0)
    box.put("GPU/power/runtime_status", "active")
    box.now += 1
    assert only(reader).memory_total_bytes == 12 * GIB


def test_a_card_with_nothing_to_do_is_left_alone_until_it_may_have_fallen_asleep(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/b580-xe-6.17")
    reader = probe(box, arc_b580())
    only(reader)
    busy_second(box, "GPU/hwmon/hwmon3/energy1_input", 12, "GPU/tile0/gt0/gtidle/idle_residency_ms", 1000)
    assert only(reader).power_w == pytest.approx(12)
    box.put("GPU/hwmon/hwmon3/temp2_input", 99_000)
    box.now += 1.5
    assert only(reader).temperature_c == 61
    box.now += 0.6
    assert only(reader).temperature_c == 99


@pytest.mark.parametrize(
    ("file", "content"), [("power/control", "on"), ("drm/card0/card0-HDMI-A-1/enabled", "enabled")]
)
def test_a_card_that_cannot_fall_asleep_is_read_each_time(tmp_path: Path, file: str, content: str) -> None:
    box = Box(tmp_path, "intel/b580-xe-6.17")
    box.put(f"GPU/{file}", content)
    reader = probe(box, arc_b580())
    only(reader)
    busy_second(box, "GPU/hwmon/hwmon3/energy1_input", 12, "GPU/tile0/gt0/gtidle/idle_residency_ms", 1000)
    only(reader)
    box.put("GPU/hwmon/hwmon3/temp2_input", 99_000)
    box.now += 1
    assert only(reader).temperature_c == 99


def test_i915_card_that_wakes_of_itself_is_read_at_once(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/a770-i915")
    reader = probe(box, arc_a770())
    box.put("GPU/drm/card1/gt/gt0/rps_act_freq_mhz", 0)
    only(reader)
    busy_second(box, "GPU/hwmon/hwmon5/energy1_input", 40, "GPU/drm/card1/gt/gt0/rc6_residency_ms", 1000)
    assert only(reader).utilization == 0
    box.now += 5
    box.put("GPU/drm/card1/gt/gt0/rps_act_freq_mhz", 2000)
    assert only(reader).sm_clock_mhz == 2000


def test_what_may_not_be_read_is_said_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box(tmp_path, "intel/b580-xe-6.17")
    reader = probe(box, arc_b580(perfmon=True))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", forbidding("energy1_input"))
        device = only(reader)
    (words,) = device.unread
    assert words.startswith("power: ")
    assert words.endswith("hwmon3/energy1_input allows it until the next boot")
    assert "sudo chmod a+r /" in words
    box.now += 1
    assert only(reader).unread == ()


def test_render_node_of_others_and_none_in_a_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box(tmp_path, "intel/b580-xe-6.17")
    kernel = arc_b580(perfmon=True)
    reader = probe(box, kernel)
    with monkeypatch.context() as patch:

        def closed(*_: object) -> int:
            raise PermissionError(13, "Permission denied")

        patch.setattr("os.open", closed)
        device = only(reader)
    assert device.memory_total_bytes is None
    assert "sudo usermod -aG render $USER" in device.unread[0]
    box.now += 1
    assert (only(reader).memory_total_bytes, only(reader).unread) == (12 * GIB, ())
    box.at("dev/dri/renderD128").unlink()
    device = only(probe(box, kernel))
    assert "docker run --device /dev/dri" in device.unread[0]
    assert device.unified_memory is False


def test_counter_that_restarts_and_files_that_vanish_or_hold_nonsense(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/b580-xe-6.17")
    reader = probe(box, arc_b580())
    only(reader)
    box.now += 1
    box.add("GPU/hwmon/hwmon3/energy1_input", 60_000_000)
    assert only(reader).energy_j == pytest.approx(60)
    box.now += 1
    box.put("GPU/hwmon/hwmon3/energy1_input", 5)
    device = only(reader)
    assert (device.power_w, device.energy_j) == (None, 0.0), "a driver that was loaded again"
    box.now += 1
    box.add("GPU/hwmon/hwmon3/energy1_input", 4_000_000_000_000)
    assert only(reader).power_w is None, "the millions of watts of a register that was reset"
    for name in ("hwmon/hwmon3/temp2_input", "tile0/gt0/freq0/act_freq", "tile0/gt0/gtidle/idle_residency_ms"):
        box.put(f"GPU/{name}", "garbage")
    box.at("GPU/hwmon/hwmon3/energy1_input").unlink()
    box.at("GPU/tile0/gt0/freq0/throttle/reasons").unlink()
    box.now += 20
    device = only(reader)
    assert (device.temperature_c, device.sm_clock_mhz, device.utilization, device.power_w) == (None, None, None, None)
    assert device.throttle_reasons == ("power cap", "current of the voltage regulators")


@pytest.mark.parametrize("rested", [0, -50])
def test_rest_that_is_never_counted_or_falls_tells_nothing(tmp_path: Path, rested: int) -> None:
    box = Box(tmp_path, "intel/b580-xe-6.17")
    idle = "GPU/tile0/gt0/gtidle/idle_residency_ms"
    box.put(idle, 0 if rested == 0 else 70_000)
    reader = probe(box, arc_b580())
    only(reader)
    box.now += 1
    box.add(idle, rested)
    assert only(reader).utilization is None


def test_a_driver_that_does_not_answer_leaves_the_rest(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/a770-i915")
    kernel = arc_a770()
    kernel.answers = False
    device = only(probe(box, kernel))
    assert (device.memory_total_bytes, device.cores, device.power_limit_w) == (None, None, 190)


@pytest.mark.parametrize("driver", ["xe", "i915"])
def test_a_file_that_is_no_render_node_gives_nothing(tmp_path: Path, driver: str) -> None:
    """Through the real system call."""
    file = tmp_path / "renderD128"
    file.write_text("")
    node = RenderNode(file, driver)
    assert (node.memory(), node.shape(), node.forbidden) == (None, None, False)


def test_answers_that_are_cut_short_give_nothing(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/b580-xe-6.17")

    def short(node: int, request: int, argument: bytearray) -> int:
        del node, request
        argument[12:16] = (11).to_bytes(4, "little")
        return 0

    device = only(IntelProbe(root=box.root, clock=box.clock, ioctl=short))
    assert (device.memory_used_bytes, device.cores) == (None, None)


def test_a_card_that_hangs_delays_nobody(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/b580-xe-6.17")
    gate = Event()
    kernel = arc_b580()

    def hanging(node: int, request: int, argument: bytearray) -> int:
        gate.wait()
        return kernel(node, request, argument)

    reader = IntelProbe(root=box.root, clock=box.clock, ioctl=hanging)
    began = time.monotonic()
    device = only(reader)
    assert time.monotonic() - began < 0.8
    assert (device.name, device.problem) == ("Intel Arc B580", "its driver does not answer")
    gate.set()


FDINFO = """pos:\t0
drm-driver:\ti915
drm-client-id:\t17
drm-pdev:\t0000:03:00.0
drm-total-local0:\t6291456 KiB
drm-resident-local0:\t5242880 KiB
drm-resident-system0:\t1024 KiB
drm-engine-compute:\t{busy} ns
drm-engine-render:\t0 ns
"""
"""As i915_drm_client.c prints it."""


def test_two_gpus_and_who_is_on_them(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/iris-xe-i915", "intel/a770-i915")
    kernel = arc_a770()
    box.put("proc/77/fdinfo/5", FDINFO.format(busy=0))
    link = box.at("proc/77/fd/5")
    link.parent.mkdir(parents=True)
    link.symlink_to("/dev/dri/renderD129")
    reader = probe(box, kernel)
    first, second = reader.read().devices
    assert [(each.id, each.pci_address) for each in (first, second)] == [
        ("intel0", "0000:00:02.0"),
        ("intel1", "0000:03:00.0"),
    ]
    assert second.processes is not None
    assert [(each.pid, each.memory_bytes) for each in second.processes] == [(77, 5 * GIB)]
    box.put("proc/77/fdinfo/5", FDINFO.format(busy=2_500_000_000))
    box.now += 5
    processes = reader.read().devices[1].processes
    assert processes is not None
    assert processes[0].utilization == pytest.approx(0.5)


def test_work_that_is_nobodys_who_is_known_is_somebodys_who_is_hidden(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/a770-i915")
    box.put("proc/77/fdinfo/5", FDINFO.format(busy=0))
    link = box.at("proc/77/fd/5")
    link.parent.mkdir(parents=True)
    link.symlink_to("/dev/dri/renderD129")
    reader, informed = probe(box, arc_a770()), probe(box, arc_a770(perfmon=True))
    for seconds in (0, 5):
        box.now += seconds
        box.put("proc/77/fdinfo/5", FDINFO.format(busy=100_000_000 * seconds))
        blind, told = only(reader), only(informed)
    assert blind.processes is None
    assert told.processes is not None, "all that is in use is that process's"


def test_absence_is_quiet(tmp_path: Path) -> None:
    assert IntelProbe.detect(tmp_path) == []
    assert IntelProbe(root=tmp_path).read().devices == ()


@pytest.mark.parametrize(
    ("pci_id", "memory_gib", "row", "gbs"),
    [
        ("8086:56a0", 15.9, "Arc A770 16GB", 560),
        ("8086:56a0", 7.9, "Arc A770 8GB", 512),
        ("8086:56a1", 7.9, "Arc A750", 512),
        ("8086:e20b", 11.9, "Arc B580", 456),
        ("8086:e211", 23.9, "Arc Pro B60", 456),
        ("8086:56c0", 15.9, "Data Center GPU Flex 170", 512),
        ("8086:0bd5", 127.9, "Data Center GPU Max 1550", 3276.8),
    ],
)
def test_the_catalogue_knows_them(pci_id: str, memory_gib: float, row: str, gbs: float) -> None:
    named = intel_name(pci_id, "0000:03:00.0")
    device = Device(
        id="intel0",
        name=named.name,
        vendor="Intel",
        kind="gpu",
        pci_id=pci_id,
        memory_total_bytes=round(memory_gib * GIB),
        architecture=named.architecture,
    )
    found = recognise(device)
    assert found.bandwidth_gbs.peak == gbs
    assert f"catalogue: {row}, matched by PCI id" in (found.bandwidth_gbs.basis or "")
    without = recognise(replace(device, architecture=None))
    assert without.architecture == named.architecture, "the catalogue calls it the same"


def test_lunar_lake_is_known_by_its_cores(tmp_path: Path) -> None:
    box = Box(tmp_path, "intel/lunar-lake-xe")
    found = recognise(only(probe(box, integrated(8, 8, wide=True))))
    assert found.bandwidth_gbs.peak == 136.5
    assert found.compute_tflops.fp16 == 31.9
    assert "Arc 140V" in (found.bandwidth_gbs.basis or "")
