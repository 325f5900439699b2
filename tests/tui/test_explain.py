"""What a prediction is made of, and what would change it."""

import json

import pytest
from llmtop.estimator.predict import predict
from llmtop.tui.explain import bar, explanation
from llmtop.tui.predict import document

from .asking import ask_for


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.0, "    "), (1.0, "████"), (0.5, "██  "), (0.28, "█▏  "), (0.0001, "▏   "), (3.0, "████"), (-1.0, "    ")],
)
def test_a_bar_is_exact_to_an_eighth_of_a_cell(share: float, shown: str) -> None:
    assert bar(share, 4) == shown


def test_the_terms_add_up_to_the_step() -> None:
    about = ask_for("RTX 4090", "llama-2-7b", "--quant", "q4_0")
    found = predict(about.question)
    step_ms = 1000 / found.decode_tps.value
    said = explanation(about, found).splitlines()
    at = said.index(next(line for line in said if line.startswith("One decode step")))
    rows = said[at + 1 : said.index("", at)]
    assert sum(float(row.split(" ms ")[0].split()[-1]) for row in rows) == pytest.approx(step_ms, abs=0.03)
    shares = [int(row.split("%")[0].split()[-1]) for row in rows]
    assert shares == sorted(shares, reverse=True)
    assert 97 <= sum(shares) <= 103


def test_the_rules_of_thumb_are_named_as_such_beside_the_estimate() -> None:
    about = ask_for("RTX 4090", "llama-2-7b", "--quant", "q4_0")
    said = explanation(about, predict(about.question))
    assert "Rules of thumb, beside the estimate and never used for it" in said
    assert "144 tok/s" in said
    assert "150 tok/s" in said
    assert "ridge point: RTX 4090 could do 328 for each byte" in said  # 330.3 TFLOPS over 1008 GB/s


def test_json_holds_the_explanation_only_when_it_is_asked_for() -> None:
    about = ask_for("RTX 4090", "Qwen3-8B")
    found = predict(about.question)
    more = json.loads(document(about, found, explain=True))
    assert set(more) - set(json.loads(document(about, found))) == {"changes", "batching", "power_limits"}
    effects = [abs(change["factor"] - 1) for change in more["changes"]]
    assert effects == sorted(effects, reverse=True)
    assert more["power_limits"][0]["kept"] == 1.0
    assert [point["streams"] for point in more["batching"]["points"]][:4] == [1, 2, 4, 8]


def test_no_law_no_power_section() -> None:
    about = ask_for("M3 Max 40c", "Qwen3-8B")
    assert "Power limits" not in explanation(about, predict(about.question))


def test_a_model_that_does_not_fit_is_explained_too() -> None:
    about = ask_for("RTX 4090", "Llama-3.3-70B")
    said = explanation(about, predict(about.question))
    assert "the memory holds not one stream of this length" in said
    assert "passing on between devices" in said
