"""AMD GPUs from the files of real machines: what each generation tells, in which unit, and what it does not."""

from pathlib import Path

import pytest
from llmtop.estimator.catalogue.recognise import recognise
from llmtop.probes.hardware.amd.probe import AmdProbe
from llmtop.probes.sample import Device, Pcie

from .amd_machine import AmdMachine, mi300x

GIB = 1 << 30


def test_absence_is_quiet(tmp_path: Path) -> None:
    assert AmdProbe.detect(tmp_path) == []
    (tmp_path / "sys/class/drm").mkdir(parents=True)
    assert AmdProbe.detect(tmp_path) == []
    assert AmdProbe(root=tmp_path).read().devices == ()


def test_cards_of_other_drivers_are_left_alone(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path)
    machine.put("sys/class/drm/card0/device/uevent", "DRIVER=radeon\nPCI_ID=1002:6818\nPCI_SLOT_NAME=0000:01:00.0")
    machine.put("sys/class/drm/card1/device/uevent", "DRIVER=amdgpu_xcp_drv")
    machine.put("sys/class/drm/card2-DP-1/device/uevent", "DRIVER=amdgpu")
    assert AmdProbe.detect(tmp_path) == []


def test_rdna3_card(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "rx7900xtx")
    machine.names()
    card = machine.read()
    assert (card.id, card.name, card.kind, card.vendor) == ("amd0", "AMD Radeon RX 7900 XTX", "gpu", "AMD")
    assert (card.architecture, card.cores, card.cache_bytes) == ("gfx1100", 6144, 96 << 20)
    assert card.uuid == "GPU-a1ffc9d1799c317f"
    assert (card.power_w, card.power_instant_w) == (68.0, None)
    assert (card.sm_clock_mhz, card.memory_clock_mhz) == (31.0, 1249.0)
    assert (card.temperature_c, card.hotspot_c, card.memory_temperature_c) == (53.0, 61.0, 68.0)
    assert card.utilization == 0.03
    assert (card.memory_total_bytes, card.memory_used_bytes) == (25753026560, 1187446784)
    assert card.bandwidth_gbs.peak == pytest.approx(960, rel=0.001), "384 bit at 20 GT/s"
    assert (card.memory_type, card.unified_memory, card.carveout_bytes) == ("GDDR", False, None)
    limits = (card.power_limit_w, card.power_limit_min_w, card.power_limit_max_w, card.power_limit_default_w)
    assert limits == (290.0, 261.0, 333.0, 290.0)
    assert card.limits[0].where.endswith("hwmon8/power1_cap")
    assert card.driver is not None and card.driver.startswith("amdgpu, ")
    assert (card.problem, card.unread, card.remarks) == (None, (), ())


def test_link_is_that_of_the_card_to_the_machine(tmp_path: Path) -> None:
    """The link of the GPU to the switch on its card says 16 GT/s whatever the slot is."""
    slow = AmdMachine(tmp_path / "slow", "rx6900xt").read()
    assert slow.pcie == Pcie(generation=3, width=16, generation_max=3, width_max=16)
    half = AmdMachine(tmp_path / "half", "rx9070xt").read()
    assert half.pcie == Pcie(generation=5, width=8, generation_max=5, width_max=16)


def test_rdna4_card_says_that_its_limit_was_lowered(tmp_path: Path) -> None:
    card = AmdMachine(tmp_path, "rx9070xt").read()
    assert (card.power_limit_w, card.power_limit_default_w, card.power_limit_max_w) == (120.0, 304.0, 340.0)
    assert card.power_limit_min_w is None, "0 is that of a driver that does not know it"
    assert card.throttle_reasons == ()
    assert card.bandwidth_gbs.peak is None, "without KFD the width of the bus is not told"
    assert recognise(card).bandwidth_gbs.peak == pytest.approx(644.6)


def test_card_with_stacked_memory(tmp_path: Path) -> None:
    card = AmdMachine(tmp_path, "mi50").read()
    assert card.bandwidth_gbs.peak == 1024.0
    assert (card.memory_type, card.architecture, card.cores, card.ecc) == ("HBM", "gfx906", 3840, True)
    assert (card.power_w, card.utilization) == (171.0, 1.0)
    assert card.bandwidth_utilization is None, "mem_busy_percent is how busy the controller is, no share of the peak"
    assert card.pcie == Pcie(generation=3, width=8, generation_max=4, width_max=16)


def test_older_cards_have_less(tmp_path: Path) -> None:
    polaris = AmdMachine(tmp_path / "580", "rx580").read()
    assert (polaris.power_w, polaris.temperature_c, polaris.hotspot_c) == (41.045, 44.0, None)
    assert (polaris.utilization, polaris.memory_total_bytes) == (0.11, 4 * GIB)
    vega = AmdMachine(tmp_path / "vega", "vega56").read()
    assert (vega.power_w, vega.memory_temperature_c, vega.power_limit_max_w) == (8.0, 39.0, 390.0)


def test_apu_takes_of_what_is_set_apart_and_of_main_memory(tmp_path: Path) -> None:
    apu = AmdMachine(tmp_path, "strixhalo").read()
    assert apu.unified_memory is True
    assert apu.carveout_bytes == 4 * GIB
    assert apu.memory_total_bytes == 100 * GIB
    assert apu.memory_used_bytes == 186646528 + 60 * GIB
    assert (apu.architecture, apu.cores) == ("gfx1151", 2560)
    assert apu.bandwidth_gbs.peak == 256.0
    assert apu.memory_type is None, "the catalogue knows"
    assert recognise(apu).memory_type == "LPDDR"
    assert (apu.power_w, apu.power_instant_w) == (98.052, 101.013)
    assert apu.pcie is None, "it has no link to speak of"
    assert apu.power_limit_w is None
    assert "power limit" in apu.unread[0]
    assert "cores of the CPU" in apu.remarks[0]


@pytest.mark.parametrize(
    ("name", "peak", "chip", "watts"),
    [
        ("phoenix", 102.4, ("gfx1103", 768), 3.103),
        ("strixpoint", 128.0, ("gfx1150", 768), 9.087),
        ("vangogh", None, ("gfx1033", 512), 3.218),
    ],
)
def test_other_apus(tmp_path: Path, name: str, peak: float | None, chip: tuple[str, int], watts: float) -> None:
    apu = AmdMachine(tmp_path, name).read()
    assert apu.unified_memory is True
    assert apu.bandwidth_gbs.peak == peak
    assert (apu.architecture, apu.cores) == chip
    assert apu.uuid is None
    assert apu.power_w == watts


def test_the_steam_deck_has_two_limits(tmp_path: Path) -> None:
    deck = AmdMachine(tmp_path, "vangogh").read()
    slow, fast = deck.limits
    assert (slow.name, slow.value_w, slow.max_w, slow.window_s) == ("package long term", 15.0, 29.0, 5.0)
    assert (fast.name, fast.value_w, fast.max_w, fast.window_s) == ("package short term", 15.0, 30.0, 0.01)
    assert deck.power_limit_max_w == 29.0


def test_names_come_from_the_card_then_libdrm_then_the_bus(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "mi50")
    assert machine.read().name == "AMD GPU 1002:66a1"
    machine.names()
    assert machine.read().name == "AMD Instinct MI60 / MI50"
    machine.put("@/product_name", "Radeon Instinct MI50 32GB")
    assert machine.read().name == "AMD Radeon Instinct MI50 32GB"


@pytest.mark.parametrize(
    ("machine", "row", "gbs"),
    [
        ("rx6900xt", "RX 6900 XT", 512.0),
        ("rx7900xtx", "RX 7900 XTX", 960.0),
        ("rx9070xt", "RX 9070 XT", 644.6),
        ("phoenix", "Radeon 780M", 89.6),
        ("strixpoint", "Radeon 880M", 120.0),
        ("strixhalo", "Strix Halo Radeon 8060S", 256.0),
        ("mi300x", "Instinct MI300X", 5300.0),
        ("mi50", "Instinct MI50 32GB", 1024.0),
    ],
)
def test_the_catalogue_knows_them(tmp_path: Path, machine: str, row: str, gbs: float) -> None:
    found = AmdMachine(tmp_path)
    found.load(machine, **mi300x(0))
    found.names()
    card = found.read()
    plain = Device(
        id="amd0",
        name=card.name,
        vendor="AMD",
        kind="gpu",
        pci_id=card.pci_id,
        cores=card.cores,
        memory_total_bytes=card.memory_total_bytes,
    )
    known = recognise(plain)
    assert known.bandwidth_gbs.peak == pytest.approx(gbs)
    assert row in (known.bandwidth_gbs.basis or "")
    assert known.architecture == (card.architecture or known.architecture)
