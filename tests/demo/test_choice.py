"""Which model a machine gets."""

import pytest
from llmtop.tui.demo.choice import SIZES, choose_size, named_size
from llmtop.tui.demo.error import DemoError

GIB, MIB = 1 << 30, 1 << 20


@pytest.mark.parametrize(
    ("memory", "cache", "disk", "cores", "name"),
    [
        (16 * GIB, 32 * MIB, 100 * GIB, 8, "1b"),
        (16 * GIB, None, 100 * GIB, 8, "1b"),
        (16 * GIB, 32 * MIB, 100 * GIB, 2, "1b"),
        (64 * GIB, 480 * MIB, 100 * GIB, 32, "3b"),
        (64 * GIB, 480 * MIB, 100 * GIB, 2, "1b"),
        (4 * GIB, 480 * MIB, 100 * GIB, 32, "1b"),
        (3 * GIB // 2, 8 * MIB, 100 * GIB, 4, "0.6b"),
        (700 * MIB, 8 * MIB, 100 * GIB, 4, "0.3b"),
        (16 * GIB, 32 * MIB, 400 * MIB, 4, "0.6b"),
    ],
)
def test_size_for_a_machine(memory: int, cache: int | None, disk: int, cores: int, name: str) -> None:
    assert choose_size(memory, cache, disk, cores).name == name


def test_the_sizes_grow_and_hold_what_their_names_say() -> None:
    parameters = [size.shape.parameters for size in SIZES]
    assert parameters == sorted(parameters)
    for size in SIZES:
        assert size.shape.parameters / 1e9 == pytest.approx(float(size.name.removesuffix("b")), rel=0.16)


@pytest.mark.parametrize(("memory", "disk", "what"), [(GIB // 4, GIB, "memory"), (16 * GIB, 100 * MIB, "disk")])
def test_too_small_a_machine_is_told_what_is_short(memory: int, disk: int, what: str) -> None:
    with pytest.raises(DemoError, match=f"not enough {what} for a demo model: .* GB needed, .* GB free"):
        choose_size(memory, None, disk)


@pytest.mark.parametrize("name", ["1B", "1b", " 0.3B "])
def test_names_are_matched_without_case(name: str) -> None:
    assert named_size(name).name == name.strip().lower()


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(DemoError, match=r"no demo model of size '7B': there are 0.3B, 0.6B, 1B, 3B, 8B"):
        named_size("7B")
