"""What would change an answer: single changes, the curve over streams, the curve over power limits."""

import pytest
from llmtop.estimator.batching import batching
from llmtop.estimator.catalogue.devices import device
from llmtop.estimator.catalogue.formats import format as known_format
from llmtop.estimator.catalogue.models import model
from llmtop.estimator.changes import changes
from llmtop.estimator.power_curve import power_curve
from llmtop.estimator.predict import predict
from llmtop.estimator.published import published
from llmtop.estimator.question import Question
from llmtop.estimator.silicon import default_backend
from llmtop.estimator.software import Software, engine
from msgspec.structs import replace


def ask(hardware: str, name: str, quant: str, engine_name: str = "llama.cpp") -> Question:
    card = device(hardware).as_device("gpu")
    software = Software(engine=engine(engine_name), backend=default_backend(card))
    return Question(facts=model(name).facts(known_format(quant)), software=software, devices=(card,))


A_4090 = ask("RTX 4090", "Llama-2-7B", "Q4_0")


def test_a_tenth_more_bandwidth_shortens_what_is_read_and_nothing_else() -> None:
    found = predict(A_4090)
    read = sum(part.seconds for part in found.terms["decode"] if part.name in {"weights", "kv"})
    step = 1.0 / found.decode_tps.value
    (change,) = [each for each in changes(A_4090) if each.what == "10 % more memory bandwidth"]
    assert change.decode_tps == pytest.approx(1.0 / (step - read * (1.0 - 1.0 / 1.1)))
    assert change.factor == pytest.approx(change.decode_tps * step)


def test_the_strongest_change_comes_first() -> None:
    effects = [abs(change.factor - 1.0) for change in changes(A_4090)]
    assert effects == sorted(effects, reverse=True)
    assert len(effects) == 5


def test_what_does_not_apply_is_left_out() -> None:
    apple = replace(ask("M3 Max 40c", "Llama-2-7B", "Q4_0"), kv_bytes_per_element=0.5625, streams=None)
    words = " ".join(change.what for change in changes(apple))
    assert "KV cache" not in words
    assert "twice" not in words
    assert "more memory bandwidth" in words


def test_more_streams_bring_more_in_all_and_less_to_each() -> None:
    found = batching(A_4090)
    totals = [point.decode_tps.value for point in found.points]
    each = [point.each_tps for point in found.points]
    assert totals == sorted(totals)
    assert each == sorted(each, reverse=True)
    assert found.points[-1].streams == found.most_streams
    assert found.points[0].decode_tps.value == pytest.approx(predict(A_4090).decode_tps.value)


def test_the_memory_ends_the_curve_where_arithmetic_says() -> None:
    """23.5 GiB usable, 3.8 GB of weights, a cache of 2 x 32 x 4096 x 2 bytes a token and 640 tokens a stream."""
    most = batching(A_4090).most_streams
    room = 0.98 * 24 * 2**30 - 3.83e9 - 0.5 * 2**30
    assert most == pytest.approx(room / (2 * 32 * 4096 * 2 * 640), abs=2)


def test_at_the_knee_half_of_what_batching_can_bring_is_reached() -> None:
    short = replace(A_4090, prompt=0.0, generate=1.0, context=0.0)
    knee = batching(short).knee
    assert knee is not None
    at_knee = predict(replace(short, streams=float(knee))).terms["decode"]
    own = sum(part.seconds for part in at_knee if part.name in {"batch", "kv", "attention"})
    assert own == pytest.approx(sum(part.seconds for part in at_knee) / 2.0, rel=0.05)


def test_a_model_that_does_not_fit_has_a_curve_still() -> None:
    found = batching(ask("RTX 4090", "Llama-3.3-70B-Instruct", "Q4_K_M"))
    assert found.most_streams == 0
    assert [point.streams for point in found.points] == [1, 2, 4, 8]


def test_a_lower_power_limit_never_makes_it_faster() -> None:
    steps = power_curve(A_4090)
    assert steps[0].power_limit_w == 450
    assert steps[0].kept == 1.0
    kept = [step.kept for step in steps]
    assert kept == sorted(kept, reverse=True)
    assert [round(step.power_limit_w) for step in steps] == [450, 405, 360, 315, 270]
    assert power_curve(ask("M3 Max 40c", "Llama-2-7B", "Q4_0")) == ()


def test_what_others_measured_of_the_same_thing() -> None:
    found = published(A_4090)
    assert 186.21 in [row.decode_tps for row in found]
    assert all(row.source for row in found)
    assert published(replace(A_4090, streams=7.0)) == []
    assert published(replace(A_4090, facts=replace(A_4090.facts, name="Nobody's model"))) == []
    assert 186.21 not in [row.decode_tps for row in published(replace(A_4090, context=60_000.0))]
