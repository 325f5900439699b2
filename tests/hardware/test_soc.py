"""GPUs of boards and laptops with Arm chips."""

from pathlib import Path

import pytest
from llmtop.probes.hardware.jetson.probe import JetsonProbe
from llmtop.probes.hardware.soc.pi_throttle import PiThrottle
from llmtop.probes.hardware.soc.probe import SocProbe
from llmtop.probes.sample import Device

from .soc_box import Box


def only(reader: SocProbe) -> Device:
    (device,) = reader.read().devices
    return device


def test_rk3588_with_the_driver_of_arm(tmp_path: Path) -> None:
    box = Box(tmp_path, "soc/rk3588-bsp")
    (reader,) = SocProbe.detect(box.root)
    device = only(reader)
    assert (device.id, device.name, device.vendor, device.driver) == ("soc0", "Mali-G610 MP4", "Arm", "mali")
    assert (device.utilization, device.sm_clock_mhz, device.temperature_c) == (0.37, 600, 42.538)
    assert (device.unified_memory, device.memory_total_bytes) == (True, 16_000_000 << 10)
    assert (device.memory_used_bytes, device.processes) == (None, ())
    assert (device.unread, device.remarks, device.power_w) == ((), (), None)
    assert JetsonProbe.detect(box.root) == []


def test_rk3588_with_the_upstream_driver(tmp_path: Path) -> None:
    device = only(SocProbe(root=Box(tmp_path, "soc/rk3588-upstream").root))
    assert (device.name, device.vendor, device.driver) == ("Mali (rk3588)", "Arm", "panthor")
    assert (device.sm_clock_mhz, device.utilization, device.temperature_c) == (300, None, None)


def test_snapdragon_x(tmp_path: Path) -> None:
    box = Box(tmp_path, "soc/snapdragon-x")
    device = only(SocProbe(root=box.root))
    assert (device.name, device.vendor) == ("Adreno 43050c01", "Qualcomm")
    assert (device.sm_clock_mhz, device.temperature_c) == (550, 41.2)
    box.put("sys/class/kgsl/kgsl-3d0/gpu_model", "Adreno740v2")
    box.put("sys/class/kgsl/kgsl-3d0/gpu_busy_percentage", "12 %")
    device = only(SocProbe(root=box.root))
    assert (device.name, device.utilization) == ("Adreno740v2", 0.12)


def test_raspberry_pi_has_no_gpu_to_read_and_tells_why_it_is_slow(tmp_path: Path) -> None:
    box = Box(tmp_path, "soc/pi-5")
    assert SocProbe.detect(box.root) == []
    throttle = PiThrottle(box.root)
    assert throttle.now() == ("supply voltage too low", "throttled by the firmware")
    file = "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"
    box.put(file, "e0008")
    assert throttle.now() == ("too hot (soft limit)",)
    for content in ("0", "garbage"):
        box.put(file, content)
        assert throttle.now() == ()


def test_raspberry_pi_with_an_upstream_kernel(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.put("sys/class/hwmon/hwmon0/name", "rpi_volt")
    box.put("sys/class/hwmon/hwmon0/in0_lcrit_alarm", 1)
    assert PiThrottle(box.root).now() == ("supply voltage too low",)


def test_a_gpu_is_known_by_its_place_in_the_device_tree_as_well(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.put("sys/class/devfreq/13040000.g3d/cur_freq", 390_000_000)
    box.put("sys/class/devfreq/13040000.g3d/device/of_node/name", "gpu\0")
    box.put("sys/class/devfreq/13040000.g3d/device/of_node/compatible", "mediatek,mt8183-mali\0arm,mali-bifrost\0")
    device = only(SocProbe(root=box.root))
    assert (device.name, device.sm_clock_mhz) == ("Mali (mt8183)", 390)


@pytest.mark.parametrize("load", ["", "garbage", "250@600000000Hz"])
def test_nonsense_is_unknown(tmp_path: Path, load: str) -> None:
    box = Box(tmp_path, "soc/rk3588-bsp")
    reader = SocProbe(root=box.root)
    box.put("GPU/devfreq/fb000000.gpu/load", load)
    box.put("GPU/devfreq/fb000000.gpu/cur_freq", "")
    box.at("sys/class/thermal/thermal_zone5/temp").unlink()
    device = only(reader)
    assert (device.utilization, device.sm_clock_mhz, device.temperature_c) == (None, None, None)


def test_absence_is_quiet(tmp_path: Path) -> None:
    assert SocProbe.detect(tmp_path) == []
    assert SocProbe(root=tmp_path).read().devices == ()
    assert PiThrottle(tmp_path).now() == ()


def test_load_that_is_no_percentage_is_unknown(tmp_path: Path) -> None:
    box = Box(tmp_path, "soc/rk3588-bsp")
    box.put("GPU/devfreq/fb000000.gpu/load", "9" * 5000 + "@300000000Hz")
    device = only(SocProbe(root=box.root))
    assert (device.utilization, device.problem) == (None, None)
