"""The user's own runs: when they correct a prediction, and by how much."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.estimator.own import Correction, Run, bare, correction
from llmtop.estimator.snapshot import Band
from llmtop.estimator.software import Software, engine
from msgspec.structs import replace

LLAMACPP = Software(engine=engine("llama.cpp"), backend="cuda")
CARD = "RTX 4090"
RUN = Run(engine="llama.cpp", backend="cuda", device=CARD, model="A", quantization="Q4_K_M", phase="decode",
          ratio=0.8, when=1.7e9)  # fmt: skip
THREE = [replace(RUN, model=model) for model in "ABC"]


def found(runs: list[Run], but: str | None = None) -> Correction | None:
    return correction(runs, LLAMACPP, CARD, "decode", but)


def test_three_models_count_half() -> None:
    """3 / (3 + 3) of the logarithm of 0.8: the square root."""
    corrected = found(THREE)
    assert corrected is not None
    assert corrected.factor == pytest.approx(math.sqrt(0.8))
    assert (corrected.runs, corrected.narrower) == (3, 0.8)
    assert corrected.words == "your own 3 runs of llama.cpp here: x0.89"


@pytest.mark.parametrize(("count", "factor"), [(3, 0.8**0.5), (6, 0.8 ** (2 / 3)), (27, 0.8**0.9)])
def test_many_count_more(count: int, factor: float) -> None:
    corrected = found([replace(RUN, model=f"model {index}") for index in range(count)])
    assert corrected is not None and corrected.factor == pytest.approx(factor)


def test_too_few_are_nothing() -> None:
    assert found([]) is None
    assert found(THREE[:2]) is None
    assert found([RUN] * 100) is None


def test_formats_of_one_model_are_different_runs() -> None:
    assert found([replace(RUN, quantization=name) for name in ("Q4_K_M", "Q8_0", None)]) is not None


def test_one_model_run_a_hundred_times_counts_once_with_its_median() -> None:
    often = [replace(RUN, model="A", ratio=ratio) for ratio in [0.5] * 33 + [1.0] * 34 + [2.0] * 33]
    corrected = found([*often, replace(RUN, model="B", ratio=1.2), replace(RUN, model="C", ratio=1.44)])
    assert corrected is not None
    assert corrected.runs == 3
    assert corrected.factor == pytest.approx(1.2**0.5)


def test_one_odd_run_decides_nothing() -> None:
    corrected = found([*THREE, replace(RUN, model="D"), replace(RUN, model="E", ratio=5.0)])
    assert corrected is not None and corrected.factor == pytest.approx(0.8 ** (5 / 8))


@pytest.mark.parametrize(
    "other",
    [{"engine": "Ollama"}, {"backend": "vulkan"}, {"device": "RTX 3090"}, {"phase": "prefill"}, {"ratio": 0.01},
     {"ratio": 30.0}, {"ratio": 0.0}, {"ratio": -1.0}, {"ratio": math.nan}, {"ratio": math.inf}],
    ids=str,
)  # fmt: skip
def test_runs_of_something_else_do_not_count(other: dict[str, object]) -> None:
    assert found([*THREE[:2], replace(RUN, model="C", **other)]) is None


def test_a_model_does_not_vouch_for_itself() -> None:
    assert found(THREE, but="C") is None
    assert found(THREE, but="/models/C") is None
    four = [*THREE, replace(RUN, model="D", ratio=1.9)]
    corrected = found(four, but="D")
    assert corrected is not None and corrected.factor == pytest.approx(0.8**0.5)


def test_the_band_moves_with_the_value_and_becomes_narrower() -> None:
    corrected = found([replace(it, ratio=0.81) for it in THREE])
    assert corrected is not None
    band = corrected.correct(Band(value=100.0, low=50.0, high=125.0))
    assert band.value == pytest.approx(90.0)
    assert band.low == pytest.approx(90.0 * 0.5**0.8)
    assert band.high == pytest.approx(90.0 * 1.25**0.8)


@given(st.lists(st.floats(0.1, 10.0), min_size=3, max_size=30))
def test_a_correction_lies_between_none_and_its_runs(ratios: list[float]) -> None:
    corrected = found([replace(RUN, model=str(index), ratio=ratio) for index, ratio in enumerate(ratios)])
    assert corrected is not None
    assert min(1.0, *ratios) <= corrected.factor * (1 + 1e-9) and corrected.factor <= max(1.0, *ratios) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("name", "kept"),
    [("Qwen3-8B", "Qwen3-8B"), ("Qwen/Qwen3-8B", "Qwen3-8B"), ("/home/me/secret/model.gguf", "model.gguf"),
     ("C:\\Users\\me\\model.gguf", "model.gguf"), ("/models/random-llama/", "random-llama"), ("", ""),
     ("x" * 500, "x" * 120)],
)  # fmt: skip
def test_a_name_without_folders(name: str, kept: str) -> None:
    assert bare(name) == kept


def test_the_benchmark_prints_its_tables(tmp_path: Path) -> None:
    """On the rows of four cards of one source, so that it is quick; the fit wants some throughput rows, too."""
    root = Path(__file__).parents[2]
    published = (root / "estimator" / "data" / "published.csv").read_text(encoding="utf-8").splitlines()
    cards = (",RTX 4090,", ",RTX 3090,", ",A100 PCIe 80GB,", ",L40S,")
    rows = [line for line in published[1:] if "XiongjieDai" in line and any(card in line for card in cards)]
    rows += [line for line in published[1:] if ",throughput_tps," in line][::10]
    few = tmp_path / "rows.csv"
    few.write_text("\n".join([published[0], *rows]) + "\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, root / "benchmarks" / "own_runs.py", few],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(root / ".src"), "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "| own runs | boxes |" in done.stdout
    first = next(line for line in done.stdout.splitlines() if line.startswith("| 1 | "))
    assert int(first.split("|")[3]) == 4
