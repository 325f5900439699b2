"""Where the layers go when the memory of the devices is too small, by hand."""

import pytest
from llmtop.estimator.memory import Memory
from llmtop.estimator.placement import HOST, place
from llmtop.estimator.software import ENGINES, Software, engine
from llmtop.probes.sample import Bandwidth, Device
from msgspec.structs import replace

GIB = 1 << 30
CARD = Device(
    id="a",
    name="card",
    vendor="NVIDIA",
    kind="gpu",
    memory_type="GDDR",
    memory_total_bytes=20 * GIB,
    bandwidth_gbs=Bandwidth(peak=500.0),
)
CPU = Device(id="c", name="processor", vendor="AMD", kind="cpu", memory_total_bytes=64 * GIB)
NEEDED = Memory(
    weights_bytes=20 * GIB, kv_bytes=4 * GIB, state_bytes=0, compute_bytes=GIB, context_bytes=GIB, host_bytes=GIB
)
LLAMA = Software(engine=engine("llama.cpp"), backend="cuda")
VLLM = Software(engine=engine("vLLM"), backend="cuda")


def test_what_fits_stays_on_the_devices() -> None:
    two = place([CARD, CARD], LLAMA, NEEDED)  # 2 x 0.98 x 20 GiB = 39.2 GiB for 26
    assert (two.fits, two.missing_bytes, two.note) == (True, 0.0, None)
    assert [stage.share for stage in two.stages] == [0.5, 0.5]
    one = place([replace(CARD, memory_total_bytes=28 * GIB)], VLLM, replace(NEEDED, kv_bytes=3 * GIB))
    assert one.fits  # 0.9 x 28 GiB = 25.2 for 25


def test_llama_cpp_leaves_to_the_host_what_is_missing() -> None:
    """0.98 x 20 GiB hold 19.6 of 26: 6.4 of the 24 GiB of weights and cache go to the host."""
    placed = place([CARD], LLAMA, NEEDED)
    assert not placed.fits
    assert placed.missing_bytes == pytest.approx(6.4 * GIB, rel=1e-6)
    card, host = placed.stages
    assert (card.device, host.device) == (CARD, HOST)
    assert card.share == pytest.approx(1 - 6.4 / 24)
    assert host.share == pytest.approx(6.4 / 24)
    assert placed.note == "27% of the layers on a host CPU with 64 GB/s, assumed"


def test_what_is_left_of_several_devices_is_shared_as_before() -> None:
    """Two cards of 10 and 5 GiB have 0.98 x 15 = 14.7: 11.3 of 24 GiB go to the host that was named."""
    large, small = (replace(CARD, id=str(gib), name=str(gib), memory_total_bytes=gib * GIB) for gib in (10, 5))
    placed = place([large, small], LLAMA, NEEDED, CPU)
    kept = 1 - 11.3 / 24
    assert [stage.share for stage in placed.stages] == pytest.approx([kept * 2 / 3, kept / 3, 11.3 / 24], rel=1e-6)
    assert placed.stages[-1].device == CPU
    assert placed.note == "47% of the layers on the host's CPU"


def test_a_device_with_no_room_for_a_layer_is_left_out() -> None:
    placed = place([replace(CARD, memory_total_bytes=GIB)], LLAMA, NEEDED)
    (host,) = placed.stages
    assert (host.device, host.share, placed.fits) == (HOST, 1.0, False)
    assert placed.note is not None and placed.note.startswith("100% of the layers on")


def test_memory_in_use_is_not_there() -> None:
    """23.5 GiB less 8 in use are 15.52 for 26: 10.48 of 24 GiB are missing."""
    placed = place([replace(CARD, memory_total_bytes=24 * GIB, memory_used_bytes=8 * GIB)], LLAMA, NEEDED)
    assert placed.stages[0].share == pytest.approx(1 - 10.48 / 24, rel=1e-6)


def test_whether_it_fits_into_unknown_memory_is_not_known_and_everything_stays_there() -> None:
    unknown = replace(CARD, memory_total_bytes=None)
    for devices in ([unknown], [unknown, CARD]):
        placed = place(devices, LLAMA, NEEDED)
        assert placed.fits is None and placed.missing_bytes == 0.0 and placed.note is None
        assert HOST not in [stage.device for stage in placed.stages]


def test_a_cpu_has_nowhere_to_leave_anything() -> None:
    placed = place([replace(CPU, memory_total_bytes=20 * GIB)], replace(LLAMA, backend="cpu"), NEEDED)
    assert not placed.fits and placed.note is None
    assert placed.missing_bytes == pytest.approx(8 * GIB, rel=1e-6)  # 0.9 x 20 for 26
    assert [stage.device.kind for stage in placed.stages] == ["cpu"]


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_only_engines_of_the_kin_of_llama_cpp_use_the_host(name: str) -> None:
    placed = place([CARD], Software(engine=engine(name), backend="cuda"), NEEDED)
    uses_host = any(stage.device == HOST for stage in placed.stages)
    assert uses_host == (engine(name).kin == "llama.cpp")
    assert not placed.fits and placed.missing_bytes > 0
    assert sum(stage.share for stage in placed.stages) == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["apple", "gpu"])
def test_a_chip_that_shares_its_memory_finds_no_more_of_it_at_the_host(kind: str) -> None:
    """26 GiB do not fit into a Mac or a mini PC of 16 GiB, whoever computes."""
    chip = replace(CARD, vendor="Apple" if kind == "apple" else "AMD", memory_type="LPDDR", memory_total_bytes=16 * GIB)
    placed = place([replace(chip, kind="apple" if kind == "apple" else "gpu")], LLAMA, NEEDED)
    assert HOST not in [stage.device for stage in placed.stages]
