"""Every device of the catalogue under loads that nobody asks for: the answers stay in order, whatever their size."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import cast

import msgspec
import pytest
from llmtop.estimator.catalogue.devices import devices
from llmtop.estimator.catalogue.models import model
from llmtop.estimator.format_names import usual
from llmtop.estimator.predict import Prediction, predict
from llmtop.estimator.question import Question
from llmtop.estimator.silicon import default_backend
from llmtop.estimator.software import Software, engine
from msgspec.structs import replace

MODELS = ("Qwen3-0.6B", "Llama-3-70B", "gpt-oss-20b")
"""Small and dense, large and dense, a mixture of experts."""


def asked(device_name: str, model_name: str, **load: float | None) -> Question:
    device, runs = devices()[device_name].as_device("0"), engine("llama.cpp")
    row = model(model_name)
    software = Software(engine=runs, backend=default_backend(device), year=None)
    plain = Question(facts=row.facts(usual(runs, row.family)), software=software, devices=(device,))
    return replace(plain, **load)


def numbers(value: object, where: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for name, inner in cast("dict[str, object]", value).items():
            yield from numbers(inner, f"{where}.{name}")
    elif isinstance(value, list | tuple):
        for each in cast("list[object]", value):
            yield from numbers(each, f"{where}[]")
    elif isinstance(value, float):
        yield where, value


def in_order(found: Prediction) -> bool:
    bands = (found.decode_tps, found.prefill_tps, found.throughput_tps, found.ttft_s)
    return all(0.0 < band.low <= band.value <= band.high for band in bands if band)


@pytest.mark.parametrize("model_name", MODELS)
@pytest.mark.parametrize(
    "load",
    [
        {},
        {"prompt": 0.0, "generate": 1.0},
        {"prompt": 1e6},
        {"streams": 1000.0},
        {"streams": None, "context": 1e5},
        {"power_limit_w": 1.0},
        {"power_limit_w": 1e5},
    ],
    ids=str,
)
def test_all_numbers_are_finite_and_no_band_passes_the_ceiling(model_name: str, load: dict[str, float | None]) -> None:
    for name in devices():
        found = predict(asked(name, model_name, **load))
        wrong = [pair for pair in numbers(msgspec.to_builtins(found)) if not math.isfinite(pair[1]) or pair[1] < 0.0]
        assert not wrong, (name, wrong)
        assert in_order(found), name
        roof = found.ceiling.decode_tps
        assert roof is None or found.decode_tps.high <= roof * 1.0001, name


@pytest.mark.parametrize("model_name", MODELS)
def test_more_context_is_never_faster_and_a_longer_prompt_never_sooner(model_name: str) -> None:
    for name in devices():
        speeds = [predict(asked(name, model_name, context=tokens)).decode_tps.value for tokens in (0.0, 4e3, 64e3)]
        assert all(later <= before for before, later in pairwise(speeds)), (name, speeds)
        waits = [predict(asked(name, model_name, prompt=tokens)).ttft_s for tokens in (1.0, 512.0, 8192.0)]
        assert all(a and b and a.value <= b.value for a, b in pairwise(waits)), name


def test_the_longest_context_that_is_named_fits_and_a_fifth_more_does_not() -> None:
    for name in devices():
        longest = predict(asked(name, "Llama-3-70B")).longest_context
        if not longest or longest in {8192, 131072}:
            continue
        assert predict(asked(name, "Llama-3-70B", prompt=longest - 128.0)).fits, name
        assert not predict(asked(name, "Llama-3-70B", prompt=longest * 1.2)).fits, name
