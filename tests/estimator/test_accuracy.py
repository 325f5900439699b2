"""Rows held against predictions that are known by hand, and the figures of a set of rows."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llmtop.estimator.accuracy import MOST_NEAREST, Answer, answer, answers, quantile, question, score
from llmtop.estimator.constants import ALL, Constants, Spread
from llmtop.estimator.measurements import Measurement
from llmtop.estimator.snapshot import Band
from llmtop.estimator.terms import Unanswerable
from msgspec.structs import replace

NOTHING = 1e-30
WIDE = Spread(low=0.5, high=1.1, rows=9, devices=3, years="2025")
HALF = Constants(
    decode={
        name: {ALL: 2.0 if name == "weights" else NOTHING}
        for name in ("layers", "weights", "kv", "core", "attention", "batch", "exchange", "traffic", "hop")
    },
    prefill={
        name: {ALL: 2.0 if name == "matrix" else NOTHING}
        for name in ("layers", "weights", "matrix", "attention", "exchange", "traffic")
    },
    spreads={"decode": {ALL: WIDE}, "prefill": {ALL: WIDE}, "throughput": {ALL: WIDE}},
)
"""Decoding is reading the weights at half the bandwidth, a prompt is its matrices at half the rate."""
ROW = Measurement(
    id="a",
    hardware="RTX 3090",  # 936.2 GB/s, 71 dense fp16 TFLOPS with sums in 32 bit
    engine="vLLM",
    backend="cuda",
    model="Llama-3.2-1B",  # tied: all of the file is read; 1.236 B parameters, 0.263 B of them the head
    quant="F16",
    weight_gib=2.0,
    n_gen=128,
    metric="decode_tps",
    value=240.0,
)
GIB = 1 << 30
ONE = 936.2e9 / (2 * GIB) / 2  # 218 tok/s


def predicted(row: Measurement) -> float:
    found = answer(row, HALF)
    assert found.predicted is not None, found.problem
    return found.predicted.value


def test_three_rows_with_known_predictions() -> None:
    half = replace(ROW, id="b", weight_gib=1.0, value=100.0)
    four = replace(ROW, id="c", batch=4, value=1_000.0)
    found = answers([ROW, half, four], HALF)
    assert [each.row.id for each in found] == ["a", "b", "c"]
    values = [each.predicted.value for each in found if each.predicted]
    assert values == pytest.approx([ONE, 2 * ONE, 4 * ONE], rel=1e-3)
    assert found[0].ratio == pytest.approx(240.0 / ONE, rel=1e-3)
    first = found[0].predicted
    assert first is not None
    assert (first.low, first.high) == pytest.approx((ONE * 0.5**1.15, ONE * 1.1**1.15), rel=1e-3)


def test_a_prompt_is_its_matrices() -> None:
    """2 FLOPs a weight without the head: 2 x (1.236 - 0.263) G a token, at half of 71 TFLOPS."""
    row = replace(ROW, metric="prefill_tps", n_prompt=512, n_gen=None)
    assert predicted(row) == pytest.approx(71.2e12 / (2 * 0.973e9) / 2, rel=0.01)


def test_output_over_all_time_counts_the_prompts() -> None:
    """Two streams of 128 tokens each: 128 steps, and two prompts of 2048 before them."""
    prompt_s = 2_048 * (2 * 0.973e9) * 2 / 71.2e12
    expected = 2 * 128 / (2 * prompt_s + 128 / ONE)
    row = replace(ROW, metric="throughput_tps", n_prompt=2_048, batch=2)
    assert predicted(row) == pytest.approx(expected, rel=0.01)
    assert predicted(replace(row, metric="decode_tps", note="aggregate_output")) == pytest.approx(expected, rel=0.01)
    assert predicted(replace(row, metric="decode_tps")) == pytest.approx(2 * ONE, rel=1e-3)


def test_a_row_for_each_gpu_is_a_share_of_all() -> None:
    both = replace(ROW, n_devices=2, batch=8)
    assert predicted(both) == pytest.approx(8 * 2 * ONE, rel=1e-3)  # each tensor is split in two
    assert predicted(replace(both, note="max load, per GPU")) == pytest.approx(8 * ONE, rel=1e-3)


def test_copies_have_devices_and_streams_of_their_own() -> None:
    four = replace(ROW, n_devices=4, batch=8)
    assert predicted(four) == pytest.approx(8 * 4 * ONE, rel=1e-3)  # one engine: 4 ways
    assert predicted(replace(four, note="inst=4")) == pytest.approx(4 * 2 * ONE, rel=1e-3)
    assert predicted(replace(four, note="x inst=2 y")) == pytest.approx(2 * 4 * 2 * ONE, rel=1e-3)
    assert predicted(replace(four, note="inst=3")) == predicted(four)  # 3 do not share 4


def test_what_a_row_leaves_open() -> None:
    assert question(ROW).depth == 64.0  # half of what is generated
    assert question(replace(ROW, context=4_096)).depth == 4_096.0
    assert question(replace(ROW, n_prompt=512)).depth == 576.0
    assert question(replace(ROW, n_gen=None)).depth == 1_024.0  # a mean over several prompts
    assert question(replace(ROW, batch=None)).streams is None
    assert question(ROW).prompt == 0.0
    prefill = question(replace(ROW, metric="prefill_tps", n_prompt=512, context=2_000))
    assert (prefill.prompt, prefill.before) == (512.0, 2_000.0)
    assert question(replace(ROW, metric="prefill_tps")).prompt == 1_024.0
    assert question(replace(ROW, note="Raspberry Pi 5 host")).small_host
    assert question(replace(ROW, engine_version_or_date="2024-01")).software.year == 2024.0
    assert question(replace(ROW, power_limit_w=250.0)).power_limit_w == 250.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hardware": "Abacus"}, 'unknown hardware "Abacus"'),
        ({"engine": "vLMM"}, 'unknown engine "vLMM"; nearest: vLLM'),
        ({"model": "Llama-9-9B"}, 'unknown model "Llama-9-9B"'),
        ({"quant": "Q4_X"}, 'unknown number format "Q4_X"'),
        ({"backend": "abacus"}, "unknown backend 'abacus': there are cuda, metal"),
        ({"metric": "achieved_gbs"}, "'achieved_gbs' is not predicted, only decode_tps"),
        ({"metric": ""}, "a row without a metric is not predicted"),
        ({"problem": "line 7: value is 'x'"}, "line 7: value is 'x'"),
    ],
)
def test_a_row_that_cannot_be_answered_says_why(change: dict[str, str], said: str) -> None:
    found = answer(replace(ROW, **change))
    assert found.predicted is None and found.ratio is None
    assert found.problem is not None and found.problem.startswith(said)
    assert "\n" not in found.problem


def test_the_figures_of_a_set_of_rows() -> None:
    """Predicted / measured are 1.0, 1.1 and 0.5: errors 0, 0.1 and 0.5; p90 lies at 0.1 + 0.8 x (0.5 - 0.1)."""

    def known(value: float, low: float, high: float, hardware: str = "x") -> Answer:
        row = replace(ROW, value=100.0, hardware=hardware)
        return Answer(row=row, predicted=Band(value=value, low=low, high=high))

    found = [
        known(100.0, 100.0, 120.0),  # the edge is inside
        known(110.0, 101.0, 120.0),
        known(50.0, 40.0, 60.0, "y"),
        Answer(row=replace(ROW, hardware="z"), problem="unknown"),
    ]
    figures = score(found)
    assert (figures.rows, figures.answered, figures.devices) == (4, 3, 2)
    assert figures.median_error == pytest.approx(0.1)
    assert figures.p90_error == pytest.approx(0.1 + 0.8 * 0.4)
    assert figures.within_20 == pytest.approx(2 / 3)
    assert figures.in_band == pytest.approx(1 / 3)
    assert figures.bias == pytest.approx(1.0)


def test_no_rows_have_no_figures() -> None:
    for found in ([], [Answer(row=ROW, problem="unknown")]):
        figures = score(found)
        assert (figures.rows, figures.answered, figures.devices) == (len(found), 0, 0)
        assert figures.median_error is figures.p90_error is figures.in_band is figures.bias is None


def test_quantiles_lie_between_neighbours_by_proportion() -> None:
    assert quantile([7.0], 0.9) == 7.0
    assert quantile([1.0, 2.0], 0.5) == 1.5
    assert quantile([0.0, 1.0, 2.0, 3.0, 10.0], 0.9) == pytest.approx(3.0 + 0.6 * 7.0)
    assert (quantile([1.0, 5.0, 9.0], 0.0), quantile([1.0, 5.0, 9.0], 1.0)) == (1.0, 9.0)


NUMBER = st.one_of(st.none(), st.floats(0.0, 1e14), st.sampled_from([0.0, 1e-300, 1e14]))
WHOLE = st.one_of(st.none(), st.integers(0, 10**14))


@given(
    st.fixed_dictionaries(
        {
            "hardware": st.sampled_from(["RTX 3090", "CMP 170HX 8GB", "Graviton 4", "Apple M1 8c"]),
            "engine": st.sampled_from(["llama.cpp", "vLLM", "ExLlamaV2"]),
            "backend": st.sampled_from(["cuda", "cpu", "metal", "vulkan"]),
            "model": st.sampled_from(["Llama-2-7B", "Llama-3.2-1B", "Qwen3-30B-A3B"]),
            "metric": st.sampled_from(["decode_tps", "prefill_tps", "throughput_tps"]),
            "n_devices": st.integers(1, 64),
            "weight_gib": NUMBER,
            "power_limit_w": NUMBER,
            "n_prompt": WHOLE,
            "n_gen": WHOLE,
            "context": WHOLE,
            "batch": st.one_of(st.none(), st.integers(1, 10**14)),
        }
    )
)
@settings(max_examples=150, deadline=None)
def test_no_numbers_make_an_answer_raise(numbers: dict[str, object]) -> None:
    found = answer(replace(ROW, **numbers))
    assert (found.predicted is None) != (found.problem is None)
    if found.predicted is not None:
        assert 0.0 < found.predicted.low <= found.predicted.high


def test_more_devices_than_there_are_is_a_problem() -> None:
    assert answer(replace(ROW, n_devices=10**14)).problem is not None


def test_an_unknown_metric_is_told_on_one_short_line() -> None:
    with pytest.raises(Unanswerable) as caught:
        question(replace(ROW, metric="decode\ntps" * 100))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


def test_many_unknown_names_take_no_time() -> None:
    """The nearest known names are looked up for the first ones only, and once for each."""
    rows = [replace(ROW, hardware=f"Card {number % 3000}") for number in range(6000)]
    start = time.perf_counter()
    found = answers(rows)
    assert time.perf_counter() - start < 10
    problems = [each.problem or "" for each in found]
    assert all(said.startswith(f'unknown hardware "Card {number % 3000}"') for number, said in enumerate(problems))
    assert problems[:3000] == problems[3000:]
    assert any("nearest" in said for said in problems[:MOST_NEAREST])
    assert not any("nearest" in said for said in problems[MOST_NEAREST:3000])
