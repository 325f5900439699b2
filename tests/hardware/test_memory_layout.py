"""Machines as they are populated: the channels, GB/s on paper, and what their owners are told."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from llmtop.probes.hardware.dimms.layout import MemoryFacts, memory_facts
from llmtop.probes.hardware.dimms.remarks import memory_remarks

from .memory_tables import FOLDER, Slot, machine, memory_device, write, write_table, write_udev

DELL = {"sys_vendor": "Dell Inc.", "product_name": "PowerEdge R750"}
EPYC = "AMD EPYC 7302P 16-Core Processor"
XEON_6 = "Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz"
XEON_8 = "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz"
HALF_DELL = "8 of 16 memory channels are empty: the CPU reaches half of its bandwidth"
HELD_DOWN = "DDR4-3200 modules run at 2666 MT/s: the CPU, or so many modules a channel, allow no more"
SLOW_AM5 = (
    "DDR5-5600 modules run at 4200 MT/s: an XMP or EXPO profile may be off, or the CPU drives so many modules no faster"
)


class Machine(NamedTuple):
    """A file of modules in a machine, and what is to come of it."""

    name: str
    cpu: str
    sockets: int
    gbs: float
    """By hand: channels x MT/s x 8 bytes, or what the maker states."""
    channels: int
    total: int
    remarks: tuple[str, ...] = ()


MACHINES = (
    Machine("am4-2", "AMD Ryzen 9 3950X 16-Core Processor", 1, 51.2, 2, 2),
    Machine(
        "am4-1",
        "AMD Ryzen 9 3950X 16-Core Processor",
        1,
        25.6,
        1,
        2,
        ("1 of 2 memory channels are empty: the CPU reaches half of its bandwidth",),
    ),
    Machine("am5-2", "AMD Ryzen 9 7950X 16-Core Processor", 1, 96.0, 2, 2),
    Machine("am5-4", "AMD Ryzen 9 9950X 16-Core Processor", 1, 67.2, 2, 2, (SLOW_AM5,)),
    Machine("threadripper-4", "AMD Ryzen Threadripper 3970X 32-Core Processor", 1, 102.4, 4, 4),
    Machine("alder-lake-mini", "12th Gen Intel(R) Core(TM) i7-1260P", 1, 51.2, 2, 2),
    Machine(
        "jasper-lake-mini",
        "Intel(R) Celeron(R) N5105 @ 2.00GHz",
        1,
        42.672,
        2,
        2,
        (
            "modules rated for 2667 and 3200 MT/s are mixed: all run as the slowest",
            "the memory channels hold 8 and 16 GiB: what one has more is read without the others' bandwidth",
        ),
    ),
    Machine("lunar-lake", "Intel(R) Core(TM) Ultra 7 258V", 1, 136.528, 8, 8),
    Machine("strix-halo", "AMD RYZEN AI MAX+ 395 w/ Radeon 8060S", 1, 256.0, 8, 8),
    Machine(
        "poweredge-6-channels",
        XEON_6,
        2,
        170.624,
        8,
        12,
        (
            "4 of 12 memory channels are empty: the CPU reaches two thirds of its bandwidth",
            HELD_DOWN,
        ),
    ),
    Machine("poweredge-r750-half", XEON_8, 2, 204.8, 8, 16, (HALF_DELL,)),
    Machine("poweredge-r750-full", XEON_8, 2, 409.6, 16, 16),
    Machine("poweredge-r730", "Intel(R) Xeon(R) CPU E5-2690 v4 @ 2.60GHz", 2, 153.6, 8, 8),
    Machine("supermicro-epyc-12", "AMD EPYC 9354P 32-Core Processor", 1, 460.8, 12, 12),
    Machine(
        "supermicro-epyc-half",
        EPYC,
        1,
        102.4,
        4,
        8,
        ("4 of 8 memory channels are empty: the CPU reaches half of its bandwidth",),
    ),
    Machine("proliant-gen10", XEON_6, 2, 281.568, 12, 12),
    Machine(
        "proliant-gen10-8",
        XEON_6,
        2,
        187.712,
        8,
        12,
        ("4 of 12 memory channels are empty: the CPU reaches two thirds of its bandwidth",),
    ),
)


def put(root: Path, name: str) -> None:
    """The names that Linux shows to everybody."""
    if name.startswith("poweredge"):
        folder = root / "sys/class/dmi/id"
        folder.mkdir(parents=True)
        for key, value in DELL.items():
            (folder / key).write_text(value + "\n")


def test_every_machine_is_tried() -> None:
    assert {file.stem for file in FOLDER.glob("*.txt")} - {"README"} == {row.name for row in MACHINES}


@pytest.mark.parametrize("writer", [write_table, write_udev])
@pytest.mark.parametrize("row", MACHINES, ids=[row.name for row in MACHINES])
def test_machines(tmp_path: Path, writer: Callable[[Path, list[Slot]], Path], row: Machine) -> None:
    put(tmp_path, row.name)
    slots = machine(row.name)
    facts = memory_facts(writer(tmp_path, slots), cpu=row.cpu, sockets=row.sockets)
    layout = facts.layout
    assert layout is not None
    assert facts.unread is None
    assert facts.peak_gbs == pytest.approx(row.gbs)
    assert (layout.channels, layout.channels_total) == (row.channels, row.total)
    assert layout.slots == len(slots)
    assert [module.size_bytes for module in layout.modules] == [slot.gib << 30 for slot in slots if slot.gib]
    assert tuple(memory_remarks(facts, row.cpu)) == row.remarks


def test_basis_says_what_was_taken_for_granted(tmp_path: Path) -> None:
    told = memory_facts(write_udev(tmp_path / "a", machine("am5-2")), cpu="AMD Ryzen 9 7950X").basis
    assert told == "SMBIOS, by way of udev"
    taken = memory_facts(write_table(tmp_path / "b", machine("proliant-gen10")), cpu=XEON_6, sockets=2).basis
    assert taken == "SMBIOS; each module taken for a channel of its own"


@pytest.mark.parametrize(("name", "cpu"), [("proliant-gen10", None), ("proliant-gen10", "Some CPU of 2031")])
def test_names_that_do_not_tell_and_a_cpu_that_is_not_known(tmp_path: Path, name: str, cpu: str | None) -> None:
    facts = memory_facts(write_table(tmp_path, machine(name)), cpu=cpu, sockets=2)
    assert facts.peak_gbs is None
    assert facts.unread == (
        "memory channels: the firmware's names of the slots (PROC 1 DIMM 1, PROC 1 DIMM 3) do not tell them"
    )
    assert facts.layout is not None
    assert (len(facts.layout.modules), facts.layout.channels) == (12, None)
    assert not list(memory_remarks(facts))


def test_more_modules_than_channels_fill_all_of_them(tmp_path: Path) -> None:
    slots = [memory_device(f"PROC 1 DIMM {number}", "Not Specified", mts=2933) for number in range(1, 13)]
    facts = memory_facts(write(tmp_path, *slots), cpu=XEON_6, sockets=1)
    assert facts.peak_gbs == pytest.approx(6 * 2.933 * 8)
    assert facts.basis == "SMBIOS; modules taken for spread over all channels"


def test_more_than_the_cpu_has_is_not_believed(tmp_path: Path) -> None:
    slots = [memory_device(f"Channel{letter}", "BANK 0", form=0x0B, bits=64) for letter in "ABCDEFGH"]
    facts = memory_facts(write(tmp_path, *slots), cpu="Intel(R) Core(TM) Ultra 7 155H", sockets=1)
    assert facts.peak_gbs is None
    assert facts.unread


def test_a_speed_that_the_firmware_does_not_tell(tmp_path: Path) -> None:
    facts = memory_facts(write(tmp_path, memory_device("DIMM_A1", "BANK 0", mts=0)))
    assert (facts.peak_gbs, len(facts.channels)) == (None, 1)
    assert facts.unread == "memory speed: the firmware does not tell it"


def test_types_newer_than_udevs_helper(tmp_path: Path) -> None:
    """Older ones, as systemd 248, print "<OUT OF SPEC>" for DDR5."""
    root = write_udev(tmp_path, [slot._replace(kind="<OUT OF SPEC>") for slot in machine("am5-2") if slot.gib])
    facts = memory_facts(root, cpu="AMD Ryzen 9 7950X")
    assert facts.type is None
    assert facts.peak_gbs == pytest.approx(96)


def test_udev_with_garbage(tmp_path: Path) -> None:
    path = tmp_path / "run/udev/data/+dmi:id"
    path.parent.mkdir(parents=True)
    path.write_bytes(
        b"E:MEMORY_DEVICE_x_SIZE=1\nE:MEMORY_DEVICE_1_SIZE=many\n\xff\xfe\nE:MEMORY_DEVICE_2_LOCATOR=A\nE:\n"
    )
    assert memory_facts(tmp_path) == MemoryFacts()


@pytest.fixture
def denied(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table for everybody but root: tests may run as root, whom no mode keeps out."""

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)


@pytest.mark.usefixtures("denied")
def test_table_for_root_only(tmp_path: Path) -> None:
    write_table(tmp_path, machine("am5-2"))
    table = tmp_path / "sys/firmware/dmi/tables/DMI"
    assert memory_facts(tmp_path).unread == (
        f"memory channels: {table} may be read by root only; sudo chmod a+r {table} allows it until the next boot"
    )
    write_udev(tmp_path, machine("am5-2"))
    facts = memory_facts(tmp_path, cpu="AMD Ryzen 9 7950X")
    assert facts.unread is None
    assert facts.peak_gbs == pytest.approx(96)


@pytest.mark.usefixtures("denied")
@pytest.mark.parametrize(
    ("places", "channels"),
    [
        (["csrow 0 channel 0", "csrow 0 channel 1", "csrow 1 channel 0", "csrow 1 channel 1"], 2),  # amd64_edac
        (["channel 0 slot 0", "channel 1 slot 0", "channel 2 slot 0"], 3),  # skx_edac
    ],
)
def test_error_counters_tell_the_channels_but_no_speed(tmp_path: Path, places: list[str], channels: int) -> None:
    write_table(tmp_path, machine("am5-2"))
    for number, place in enumerate(places):
        folder = tmp_path / f"sys/devices/system/edac/mc/mc0/dimm{number}"
        folder.mkdir(parents=True)
        (folder / "size").write_text("32768\n")
        (folder / "dimm_location").write_text(f"{place} \n")
        (folder / "dimm_mem_type").write_text("Registered-DDR4\n")
    facts = memory_facts(tmp_path)
    assert (len(facts.channels), facts.type, facts.peak_gbs) == (channels, "DDR4", None)
    assert facts.unread
    assert facts.unread.startswith("memory speed: ")


def test_a_virtual_machine_makes_its_table_up(tmp_path: Path) -> None:
    root = write(tmp_path, memory_device("DIMM 0", "", mts=0))
    facts = memory_facts(root, virtual="KVM")
    assert facts == MemoryFacts(unread="memory channels: the virtual machine (KVM) does not show them")


@pytest.mark.parametrize(
    ("lines", "ecc"),
    [
        ("E:MEMORY_ARRAY_EC_TYPE=Multi-bit ECC", True),
        ("E:MEMORY_ARRAY_EC_TYPE=Unknown", None),
        ("", False),
    ],
)
def test_udev_tells_of_error_correction(tmp_path: Path, lines: str, *, ecc: bool | None) -> None:
    path = write_udev(tmp_path, machine("am5-2")) / "run/udev/data/+dmi:id"
    path.write_text(f"{path.read_text()}{lines}\n")
    assert memory_facts(tmp_path, cpu="AMD Ryzen 9 7950X").ecc is ecc


def test_a_table_without_modules_is_no_question_of_permission(tmp_path: Path) -> None:
    assert memory_facts(write(tmp_path, memory_device("DIMM_A1", "BANK 0", size=0))) == MemoryFacts()


def test_no_table_at_all(tmp_path: Path) -> None:
    assert memory_facts(tmp_path) == MemoryFacts()
    assert memory_facts(tmp_path, container="docker").unread == (
        "memory channels: the container (docker) hides the firmware's tables; llmtop outside of it sees them"
    )
