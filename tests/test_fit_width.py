"""The tables of `llmtop fit` in narrow terminals."""

import pytest

from .test_fit_command import NEW_USER, fit


@pytest.mark.parametrize("columns", [40, 60, 80])
@pytest.mark.parametrize(
    "arguments",
    [
        ("--hardware", NEW_USER),
        ("--hardware", NEW_USER, "--all"),
        ("--hardware", "RTX 4090", "--task", "embed"),
        ("Qwen3-32B", "--hardware", NEW_USER),
        ("Qwen3-8B", "--hardware", "2x RTX 4090 + 64GB RAM"),
        ("Qwen3-235B-A22B", "--hardware", "RTX 3060"),
        ("--compare", "RTX 5090", NEW_USER),
        ("--compare", "RTX 5090", "M3 Ultra 80c 256GB", "Qwen3-32B", "--price-a", "2000", "--price-b", "6000"),
        ("--compare", "RTX 5090", "RTX 4090", "RTX 3090", "RTX 3060", "M4 Max 40c 64GB", "H100 SXM"),
    ],
    ids=" ".join,
)
def test_no_line_is_wider_than_the_terminal(arguments: tuple[str, ...], columns: int) -> None:
    lines = fit(*arguments, columns=columns).stdout.splitlines()
    assert [line for line in lines if len(line) > columns] == []


def test_where_there_is_little_room_what_matters_stays() -> None:
    narrow = fit("--hardware", NEW_USER, columns=40).stdout.splitlines()[3:]
    assert narrow[0].split() == ["MODEL", "QUANT", "TOK/S", "RUNS", "ON"]
    assert narrow[1].split()[1] == fit("--hardware", NEW_USER).stdout.splitlines()[3].split()[1]
    middle = fit("--hardware", NEW_USER, columns=60).stdout
    assert "(" in middle.splitlines()[4] and "…" not in middle, "ranges and whole names go after the memory"
    pair = fit("--compare", "RTX 5090", NEW_USER, columns=40).stdout
    assert next(line.split() for line in pair.splitlines() if "MODEL" in line) == ["MODEL", "A", "B", "FASTER"]
