"""Detected devices meet the catalogue."""

import time

import pytest
from llmtop.estimator.catalogue.devices import devices
from llmtop.estimator.catalogue.recognise import recognise
from llmtop.estimator.memory import usable
from llmtop.estimator.silicon import shares_memory
from llmtop.probes.sample import Bandwidth, Compute, Device
from msgspec.structs import replace

GIB = 1 << 30


def gpu(name: str, *, vendor: str = "AMD", pci_id: str | None = None, memory_gib: float | None = None) -> Device:
    memory = None if memory_gib is None else round(memory_gib * GIB)
    return Device(id="gpu0", name=name, vendor=vendor, kind="gpu", pci_id=pci_id, memory_total_bytes=memory)


def test_what_the_driver_does_not_say_is_filled_in() -> None:
    known = recognise(gpu("AMD Radeon RX 7900 XTX", pci_id="1002:744c", memory_gib=23.98))
    assert known.bandwidth_gbs.peak == pytest.approx(960)
    assert known.bandwidth_gbs.basis == "catalogue: RX 7900 XTX, matched by PCI id"
    assert known.compute_tflops.fp16 == pytest.approx(122.8, abs=0.1)
    assert (known.memory_type, known.architecture, known.power_limit_default_w) == ("GDDR", "gfx1100", 355)


@pytest.mark.parametrize(
    ("name", "memory_gib", "bandwidth"),
    [
        ("AMD Radeon RX 7900 XT", None, 800),
        ("AMD Radeon RX 7900 GRE", None, 576),
        ("AMD Radeon Graphics", 19.98, 800),
        ("AMD Radeon Graphics", 23.98, 960),
    ],
)
def test_one_pci_id_of_several_cards_is_told_by_name_then_memory(
    name: str, memory_gib: float | None, bandwidth: float
) -> None:
    assert recognise(gpu(name, pci_id="1002:744C", memory_gib=memory_gib)).bandwidth_gbs.peak == bandwidth


def test_a_part_of_a_card_is_no_such_card() -> None:
    part = replace(gpu("NVIDIA H100 80GB HBM3", vendor="NVIDIA", pci_id="10de:2330", memory_gib=9.8), parent="nvidia0")
    assert recognise(part) == part


def test_what_several_rows_agree_on_is_filled_in() -> None:
    known = recognise(gpu("AMD Radeon Graphics", pci_id="1002:150e"))
    assert known.bandwidth_gbs.peak == 120
    assert known.bandwidth_gbs.basis == "catalogue: Radeon 880M or Radeon 890M, matched by PCI id"
    assert known.architecture == "gfx1150"
    assert known.compute_tflops == Compute()


def test_what_was_told_stays() -> None:
    told = Device(
        id="nvidia0",
        name="NVIDIA GeForce RTX 4090",
        vendor="NVIDIA",
        kind="gpu",
        memory_type="GDDR",
        architecture="8.9",
        power_limit_default_w=480.0,
        bandwidth_gbs=Bandwidth(peak=1111.0, measured=900.0, basis="the driver"),
        compute_tflops=Compute(fp16=350.0, basis="the driver"),
    )
    assert recognise(told) == told


def test_a_measured_bandwidth_keeps_its_words() -> None:
    told = Device(
        id="cpu",
        name="AMD Ryzen 9 5950X 16-Core Processor",
        vendor="AMD",
        kind="cpu",
        cores=16,
        bandwidth_gbs=Bandwidth(measured=44.0, basis="measured 2026-11-25"),
    )
    bandwidth = recognise(told).bandwidth_gbs
    assert (bandwidth.peak, bandwidth.measured) == (51.2, 44.0)
    assert bandwidth.basis == "catalogue: Ryzen 9 5950X, matched by name; measured 2026-11-25"


@pytest.mark.parametrize(
    "device",
    [
        gpu("AMD Radeon RX 9999 XT", pci_id="1002:ffff"),
        gpu("RTX 4090", vendor="Moore Threads", pci_id="1ed5:0200"),
        gpu("NVIDIA A100-SXM4-40GB", vendor="NVIDIA", memory_gib=4.75),
        Device(id="cpu", name="RTX 4090", vendor="NVIDIA", kind="cpu"),
        Device(id="cpu", name="x86_64", vendor="unknown", kind="cpu"),
    ],
    ids=["unknown", "other vendor", "a slice", "other kind", "no name"],
)
def test_what_is_not_known_comes_back_as_it_is(device: Device) -> None:
    assert recognise(device) is device


def test_an_unknown_pci_id_leaves_the_name() -> None:
    known = recognise(gpu("NVIDIA GeForce RTX 4090", vendor="NVIDIA", pci_id="10de:ffff", memory_gib=23.99))
    assert known.bandwidth_gbs.basis == "catalogue: RTX 4090, matched by name"


def test_an_address_on_the_bus_is_no_pci_id() -> None:
    known = recognise(gpu("NVIDIA GeForce RTX 4090", vendor="NVIDIA", pci_id="00000000:01:00.0"))
    assert known.bandwidth_gbs.basis == "catalogue: RTX 4090, matched by name"


@pytest.mark.parametrize(("memory_gib", "bandwidth"), [(9.9, 760.3), (11.8, 912.4)])
def test_a_driver_name_of_two_cards_is_told_by_memory(memory_gib: float, bandwidth: float) -> None:
    known = recognise(gpu("NVIDIA GeForce RTX 3080", vendor="NVIDIA", memory_gib=memory_gib))
    assert known.bandwidth_gbs.peak == pytest.approx(bandwidth)


def test_a_card_of_the_name_of_another_is_told_by_memory() -> None:
    known = recognise(gpu("NVIDIA GeForce RTX 3060", vendor="NVIDIA", memory_gib=8))
    assert known.bandwidth_gbs.peak == pytest.approx(240)


def test_two_sockets_count_twice() -> None:
    name = "Intel(R) Xeon(R) CPU E5-2698 v3 @ 2.30GHz"
    known = recognise(Device(id="cpu", name=name, vendor="Intel", kind="cpu", cores=32))
    assert known.bandwidth_gbs.peak == pytest.approx(2 * 68.3, abs=0.2)
    assert known.bandwidth_gbs.basis == "catalogue: Xeon E5-2698 v3, matched by name, 2 sockets"
    assert known.power_limit_default_w == 270


def test_the_cpu_of_an_apu_is_not_its_gpu() -> None:
    name = "AMD RYZEN AI MAX+ 395 w/ Radeon 8060S"
    known = recognise(Device(id="cpu", name=name, vendor="AMD", kind="cpu", cores=16))
    assert "Ryzen AI Max+ 395 CPU" in (known.bandwidth_gbs.basis or "")
    assert known.architecture == "Zen 5"


@pytest.mark.parametrize(("cores", "bandwidth"), [(30, 300), (40, 400), (None, None)])
def test_apple_chips_are_told_by_their_gpu_cores(cores: int | None, bandwidth: float | None) -> None:
    chip = Device(id="gpu0", name="Apple M3 Max", vendor="Apple", kind="apple", cores=cores)
    assert recognise(chip).bandwidth_gbs.peak == bandwidth


def test_it_costs_nothing_each_second() -> None:
    card = gpu("AMD Radeon RX 7900 XTX", pci_id="1002:744c", memory_gib=23.98)
    recognise(card)
    start = time.perf_counter()
    for _ in range(1000):
        recognise(card)
    assert time.perf_counter() - start < 0.1


@pytest.mark.parametrize(("cores", "name"), [(64 * 64, "RX 9070 XT"), (56 * 64, "RX 9070")])
def test_cards_of_one_pci_id_and_size_are_told_by_their_compute_units(cores: int, name: str) -> None:
    card = gpu("AMD GPU 1002:7550", pci_id="1002:7550", memory_gib=15.9)
    assert recognise(replace(card, cores=cores)).compute_tflops.fp32 == devices()[name].fp32_tflops


def test_a_probe_that_says_whether_the_memory_is_shared_goes_before_the_type() -> None:
    apu = Device(id="amd0", name="unknown APU", vendor="AMD", kind="gpu", unified_memory=True, memory_total_bytes=GIB)
    assert shares_memory(apu)
    assert not shares_memory(replace(apu, unified_memory=False, memory_type="DDR"))
    assert shares_memory(replace(apu, unified_memory=None, memory_type="LPDDR"))
    assert usable(replace(apu, carveout_bytes=GIB // 4)) == GIB, "what the driver maps may all be used"
    assert usable(apu) == round(0.85 * GIB)


def test_a_card_is_no_integrated_gpu_of_its_name() -> None:
    """Intel sells the card with DG1 (8086:4908) as Iris Xe Graphics, like the GPU of its laptop chips."""
    name = "Intel Iris Xe Graphics"
    card = Device(id="intel0", name=name, vendor="Intel", kind="gpu", pci_id="8086:4908", unified_memory=False)
    assert recognise(card).bandwidth_gbs.peak is None
    inside = replace(card, pci_id="8086:9a49", unified_memory=True)
    assert recognise(inside).bandwidth_gbs.peak == 51.2
    assert recognise(replace(inside, pci_id=None)).bandwidth_gbs.peak == 51.2
