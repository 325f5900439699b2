"""Eight Instinct MI300X in one machine: order, links between them, partitions, energy, and what a reading costs."""

import struct
import time
from pathlib import Path

import pytest
from llmtop.probes.sample import Fabric

from .amd_machine import AmdMachine, mi300x

NODES = "sys/class/kfd/kfd/topology/nodes"


@pytest.fixture
def eight(tmp_path: Path) -> AmdMachine:
    machine = AmdMachine(tmp_path)
    for index in range(8):
        machine.load("mi300x", **mi300x(index))
        for number, other in enumerate(other for other in range(8) if other != index):
            words = f"type 11\nnode_from {index + 2}\nnode_to {other + 2}\nmin_bandwidth 50000\nmax_bandwidth 50000"
            machine.put(f"{NODES}/{index + 2}/io_links/{number + 1}/properties", words)
        machine.put(f"{NODES}/{index + 2}/io_links/0/properties", f"type 2\nnode_from {index + 2}\nnode_to 0")
    machine.put(f"{NODES}/0/properties", "cpu_cores_count 96\nsimd_count 0")
    return machine


def test_accelerator_tells_other_things_than_a_card(eight: AmdMachine) -> None:
    card = eight.probe().read().devices[0]
    assert card.name == "AMD Instinct MI300X OAM"
    assert (card.architecture, card.cores, card.memory_type) == ("gfx942", 304 * 64, "HBM")
    assert (card.power_w, card.power_instant_w) == (612.0, None), "the moment is all that there is"
    assert (card.temperature_c, card.hotspot_c, card.memory_temperature_c) == (68.0, 68.0, 57.0)
    assert card.bandwidth_gbs.peak is None, "no source tells how often its memory moves in a clock"
    assert card.unified_memory is False
    assert card.fabric == Fabric(name="xGMI", links=7, gbs=350.0)


def test_order_is_that_of_rocm(eight: AmdMachine) -> None:
    addresses = [card.pci_address for card in eight.probe().read().devices]
    assert len(addresses) == 8
    (eight.root / f"{NODES}/2").rename(eight.root / f"{NODES}/99")
    again = eight.probe().read().devices
    assert [card.pci_address for card in again] == [*addresses[1:], addresses[0]]
    assert [card.id for card in again] == [f"amd{index}" for index in range(8)]


def test_partitioned_card_is_one_card(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path)
    machine.load("mi300x", **mi300x(0))
    machine.put("@/current_compute_partition", "CPX")
    machine.put("@/current_memory_partition", "NPS4")
    for part in range(8):
        words = (
            f"simd_count 152\nsimd_per_cu 4\ngfx_target_version 90402\nlocation_id {(0x15 << 8) + part}\nunique_id 5"
        )
        machine.put(f"{NODES}/{part + 2}/properties", words)
        machine.put(f"{NODES}/{part + 2}/gpu_id", f"{2000 + part}")
        link = f"type 11\nnode_from {part + 2}\nnode_to {(part + 1) % 8 + 2}"
        machine.put(f"{NODES}/{part + 2}/io_links/0/properties", link)
    card = machine.read()
    assert card.cores == 304 * 64
    assert card.memory_total_bytes == 206141652992
    assert "CPX and NPS4" in card.remarks[0] and "8 devices" in card.remarks[0]
    assert card.fabric is None, "parts of one card are no links to others"
    assert card.uuid == "GPU-dc91284879207f15"


def table(content: int, size: int, **fields: tuple[str, int, int]) -> bytes:
    blob = bytearray(b"\xff" * size)
    struct.pack_into("<HBB", blob, 0, size, 1, content)
    for form, offset, number in fields.values():
        struct.pack_into(form, blob, offset, number)
    return bytes(blob)


def test_average_comes_from_the_count_of_energy(eight: AmdMachine) -> None:
    """2^-16 J each: 600 J more in a second."""

    def spent(joules: int) -> bytes:
        return table(6, 600, energy=("<Q", 16, joules << 16), lanes=("<H", 64, 16), rate=("<H", 66, 32))

    metrics = eight.card / "gpu_metrics"
    metrics.write_bytes(spent(1_000_000))
    probe = eight.probe()
    first = probe.read().devices[7]
    assert (first.power_w, first.power_instant_w, first.energy_j) == (612.0, None, 1_000_000.0)
    metrics.write_bytes(spent(1_000_600))
    eight.now += 1
    second = probe.read().devices[7]
    assert second.power_w == pytest.approx(600.0)
    assert second.power_instant_w == 612.0
    assert second.energy_j == 1_000_600.0
    assert second.fabric == Fabric(name="xGMI", links=7, gbs=448.0), "16 lanes at 32 Gbit/s, seven times"
    metrics.write_bytes(spent(10))
    eight.now += 1
    assert probe.read().devices[7].power_w == 612.0, "the count has begun anew"


def test_reading_eight_is_cheap(eight: AmdMachine) -> None:
    for index in range(8):
        bus = mi300x(index)["bus"]
        folder = eight.root / f"sys/devices/pci0000:{bus}/0000:{bus}:00.0"
        (folder / "gpu_metrics").write_bytes(table(8, 3872, energy=("<Q", 24, 5 << 16)))
    probe = eight.probe()
    probe.read()
    costs: list[float] = []
    for _ in range(20):
        eight.now += 1
        before = time.process_time()
        probe.read()
        costs.append(time.process_time() - before)
    assert sorted(costs)[10] < 0.02, "some milliseconds; twice the budget of a whole machine, as this one is shared"
