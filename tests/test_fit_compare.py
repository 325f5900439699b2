"""`llmtop fit --compare`: machines side by side, and no winner where the bands do not tell."""

import csv
import io
import json
from typing import Any

import pytest
from llmtop.estimator.compare import match, total
from llmtop.estimator.snapshot import Band

from .test_fit_command import fit

TWO = ("--compare", "RTX 5090", "M3 Ultra 80c 256GB")


def band(value: float, low: float, high: float) -> Band:
    return Band(value=value, low=low, high=high)


def said(*arguments: str) -> Any:  # noqa: ANN401  # JSON
    return json.loads(fit(*arguments, "--json").stdout)


def test_a_winner_is_named_only_where_its_band_lies_above_all_others() -> None:
    found = match([band(100, 80, 120), band(60, 50, 79)])
    assert (found.winner, found.factor) == pytest.approx((0, 100 / 60))
    assert match([band(100, 80, 120), band(90, 70, 110)]).winner is None
    assert match([band(100, 80, 120), band(90, 70, 80)]).winner is None, "they touch"
    assert match([None, band(9, 7, 11)]).winner == 1
    assert match([None, None]).known == ()
    assert match([band(10, 9, 11), band(30, 25, 35), band(28, 24, 33)]).winner is None


def test_who_wins_in_all_is_who_wins_most_while_nobody_else_wins() -> None:
    ahead, behind, near = band(100, 80, 120), band(50, 40, 60), band(90, 70, 110)
    assert total([[ahead, behind], [ahead, behind], [ahead, near]]).winner == 0
    assert total([[ahead, behind], [ahead, near], [ahead, near]]).winner is None
    mixed = total([[ahead, behind], [ahead, behind], [behind, ahead]])
    assert (mixed.winner, mixed.won) == (None, (2, 1))
    assert mixed.factors[0] == pytest.approx(2.0)
    assert total([[ahead, None]]).rows == 0
    assert total([]).winner is None


def test_two_machines_are_told_apart_by_their_bandwidth() -> None:
    """1792 GB/s on paper against 819: the models that both hold run 2.2 times as fast, give or take a quarter."""
    found = said(*TWO)
    assert [machine["name"] for machine in found["machines"]] == ["A", "B"]
    assert found["summary"]["speed"]["winner"] == "A"
    assert found["summary"]["speed"]["factors"]["A"] == pytest.approx(2.19, rel=0.3)
    only = [row for row in found["models"] if not row["machines"]["A"]["answer"]["fits"]]
    assert only
    assert all(row["faster"] == "B" and row["reason"] == "no other holds it" for row in only)
    for row in found["models"]:
        quants = {machine["answer"]["quant"] for machine in row["machines"].values()}
        assert len(quants) == 1, "what is compared is the same file"
        for machine in row["machines"].values():
            assert (machine["answer"]["decode_tps"] is not None) == machine["answer"]["fits"]


def test_twins_cannot_be_told_apart() -> None:
    found = said("--compare", "RTX 4090", "RTX 4090")
    assert found["summary"]["speed"]["winner"] is None
    assert all(row["faster"] is None for row in found["models"])
    text = fit("--compare", "RTX 4090", "RTX 4090").stdout
    assert "within their bands: no difference can be told" in text


def test_one_model_over_its_quantisations_stands_behind_the_machines_or_before() -> None:
    behind, before = said(*TWO, "Qwen3-32B"), said("Qwen3-32B", *TWO)
    assert behind == before
    assert {row["model"] for row in behind["models"]} == {"Qwen3-32B"}
    sizes = [row["machines"]["A"]["answer"]["memory_bytes"] for row in behind["models"]]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) > 3


def test_money_and_power() -> None:
    found = said(*TWO, "--price-a", "2000", "--price-b", "6000")
    row = next(row for row in found["models"] if all(each["answer"]["fits"] for each in row["machines"].values()))
    first = row["machines"]["A"]
    assert first["tps_per_money"]["value"] == pytest.approx(first["answer"]["decode_tps"]["value"] / 2000)
    assert first["tokens_per_joule"]["value"] == pytest.approx(1.0 / first["answer"]["joules_per_token"])
    assert found["summary"]["money"]["winner"] == "A"
    assert "money" not in said(*TWO)["summary"]
    three = said(
        "--compare", "RTX 3090", "RTX 4090", "RTX 5090", "--price", "700", "--price", "1800", "--price", "2500"
    )
    assert [machine["price"] for machine in three["machines"]] == [700, 1800, 2500]


def test_the_text_fits_eighty_columns_and_all_forms_hold_the_same_models() -> None:
    lines = fit(*TWO, "--top", "5").stdout.splitlines()
    table = [line for line in lines if not line.startswith("note:")]
    assert max(map(len, table)) <= 80
    assert lines[0] == "A: RTX 5090 (32.0 GiB)"
    rows = list(csv.DictReader(io.StringIO(fit(*TWO, "--top", "5", "--csv").stdout)))
    assert [row["machine"] for row in rows] == ["A", "B"] * 5
    marked = [line for line in fit(*TWO, "--top", "5", "--markdown").stdout.splitlines() if line.startswith("|")]
    assert len(marked) == 7
    assert len({line.count("|") for line in marked}) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--compare", "RTX 5090", "RTX 4091"), "nearest: "),
        (("--compare", "RTX 5090", "RTX 4090", "Qwen3-32C"), "nearest: "),
        (("--compare", "RTX 5090", "RTX 3060 32GB"), "for RAM write: RTX 3060 12GB + 32GB RAM"),
        (("--compare", "RTX 5090", "A100"), "may be A100 PCIe 40GB"),
        (("--compare", "RTX 5090", "RTX 4090", "--quant", "nonsense"), "common in llama.cpp"),
        (("--compare", *["RTX 4090"] * 7), "2 to 6 machines"),
        ((*TWO, "--hardware", "RTX 3090"), "--hardware does not go with it"),
        ((*TWO, "--price", "1"), "2 times, not 1"),
        ((*TWO, "--price", "1", "--price", "2", "--price-a", "3"), "do not go with it"),
        ((*TWO, "--price-a", "free"), "no number above 0"),
        (("--hardware", "RTX 4090", "--price-a", "3"), "--compare"),
        ((*TWO, "--task", "embed"), "--task embed"),
    ],
)
def test_what_is_wrong_is_one_clear_line(arguments: tuple[str, ...], words: str) -> None:
    done = fit(*arguments, code=2)
    assert words in done.stderr


def test_an_engine_that_one_machine_cannot_run_names_the_machine() -> None:
    done = fit(*TWO, "--engine", "ExLlamaV2", code=1)
    assert done.stderr.startswith("llmtop: Apple M3 Ultra")
    assert len(done.stderr.splitlines()) == 1
