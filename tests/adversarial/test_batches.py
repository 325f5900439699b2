"""Streams: what many of them make together is never less than what one makes, and the bands say so too."""

from itertools import pairwise

import pytest
from llmtop.estimator.catalogue.devices import devices
from llmtop.estimator.predict import Prediction, predict
from msgspec.structs import replace

from .test_sweep import asked

MODELS = ("Qwen3-0.6B", "Llama-3.1-8B", "Qwen3-30B-A3B", "gpt-oss-20b")
STREAMS = (1.0, 2.0, 4.0, 16.0, 128.0)
SAME = 1.0 - 1e-9


def curve(device_name: str, model_name: str) -> list[Prediction]:
    """The answers for more and more streams, as far as they fit."""
    short = {"prompt": 64.0, "generate": 64.0}
    found = [predict(asked(device_name, model_name, streams=streams, **short)) for streams in STREAMS]
    return [each for each in found if each.fits]


@pytest.mark.parametrize("model_name", MODELS)
def test_more_streams_never_make_less_together_on_any_device(model_name: str) -> None:
    for name in devices():
        for few, many in pairwise(curve(name, model_name)):
            assert many.decode_tps.value >= few.decode_tps.value * SAME, (name, few.streams, many.streams)


@pytest.mark.parametrize("model_name", MODELS)
def test_no_low_end_is_below_that_of_one_stream(model_name: str) -> None:
    for name in list(devices())[::3]:
        answers = curve(name, model_name)
        for many in answers[1:]:
            assert many.decode_tps.low >= answers[0].decode_tps.low * SAME, name
            assert many.throughput_tps.low >= answers[0].throughput_tps.low * SAME, name


@pytest.mark.parametrize("model_name", MODELS)
def test_the_throughput_of_one_stream_is_what_its_two_rates_make(model_name: str) -> None:
    for name in list(devices())[::5]:
        found = predict(asked(name, model_name, prompt=512.0, generate=128.0))
        prompt, decode, both = found.prefill_tps, found.decode_tps, found.throughput_tps
        assert prompt is not None
        for end in ("low", "value", "high"):
            seconds = 512.0 / getattr(prompt, end) + 128.0 / getattr(decode, end)
            assert getattr(both, end) == pytest.approx(128.0 / seconds, rel=0.01), (name, end)


def test_more_bandwidth_and_a_higher_limit_are_never_slower() -> None:
    for name in list(devices())[::4]:
        for streams in (1.0, 16.0):
            question = asked(name, "gpt-oss-20b", streams=streams)
            card = question.devices[0]
            wide = replace(card, bandwidth_gbs=replace(card.bandwidth_gbs, peak=2.0 * (card.bandwidth_gbs.peak or 1.0)))
            faster = predict(replace(question, devices=(wide,)))
            assert faster.decode_tps.value >= predict(question).decode_tps.value * SAME, name
            stock = card.power_limit_default_w
            if stock:
                limited = [predict(replace(question, power_limit_w=share * stock)) for share in (0.4, 0.7, 1.0)]
                assert all(b.decode_tps.value >= a.decode_tps.value * SAME for a, b in pairwise(limited)), name
