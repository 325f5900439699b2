"""Whatever stands in the small files, a reading comes out."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.probes.hardware.cpu.facts import cpu_facts
from llmtop.probes.hardware.cpu.topology import topology
from llmtop.probes.hardware.dimms.layout import memory_facts
from llmtop.probes.hardware.dimms.remarks import memory_remarks
from llmtop.probes.hardware.host.cgroup import ControlGroup
from llmtop.probes.hardware.host.main_memory import MainMemory
from llmtop.probes.hardware.host.surroundings import container, virtualization

from .memory_tables import machine, memory_device, write_udev
from .test_cgroup import docker_v2, kubernetes_v1
from .trees import put, tree

pytestmark = pytest.mark.skipif("sys.platform == 'darwin'", reason="reads the trees of Linux")

BYTES = st.one_of(
    st.binary(max_size=60),
    st.text(st.characters(codec="utf-8"), max_size=40).map(str.encode),
    st.sampled_from(
        [b"9" * 5000, "²".encode(), b"-1", b"0", b"0-" + b"9" * 5000, b"max", b"\0", b"1 2 3 4 5 - 6 7 8", b"::/"]
    ),
)


def read_all(root: Path) -> None:
    """Everything that is read of a CPU and its surroundings."""
    facts = cpu_facts(root)
    made_of = topology(root)
    virtualization(root)
    container(root, {})
    memory = memory_facts(root, cpu=facts.name, sockets=made_of.sockets)
    assert memory.peak_gbs is None or memory.peak_gbs >= 0
    assert memory.layout is None or memory.layout.slots != 0
    list(memory_remarks(memory, facts.name))
    reading = MainMemory(root).read()
    assert 0 < reading.total_bytes <= reading.machine_bytes or reading.machine_bytes == 0
    cores = ControlGroup(root).cores()
    assert cores is None or cores > 0


@given(content=BYTES, data=st.data())
def test_one_file_of_garbage(content: bytes, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        data.draw(st.sampled_from([docker_v2, kubernetes_v1]))(root)
        tree(root, data.draw(st.sampled_from(["raspberry-pi-5", "arrow-lake-h", "rock-5b"])))
        write_udev(root, machine("am5-4"))
        put(root, "sys/class/dmi/id/sys_vendor", "Dell Inc.")
        files = sorted(file for file in root.rglob("*") if file.is_file())
        data.draw(st.sampled_from(files)).write_bytes(content)
        read_all(root)


@given(st.binary(max_size=200), st.integers(0, 120))
def test_a_damaged_table(noise: bytes, cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sys/firmware/dmi/tables/DMI"
        path.parent.mkdir(parents=True)
        path.write_bytes(memory_device("DIMM_A1", "BANK 0")[:cut] + noise)
        read_all(Path(folder))
