"""Models and limits that cannot be: one clear line, or an answer that keeps its order."""

import pytest
from llmtop.estimator.kinds import kind
from llmtop.estimator.model import Load
from llmtop.estimator.predict import predict
from llmtop.estimator.question import plan
from llmtop.estimator.roofline import ceiling
from llmtop.estimator.terms import Unanswerable
from llmtop.probes.sample import ModelFacts
from msgspec.structs import replace

from .test_sweep import asked

CARD = "RTX 4090"


@pytest.mark.parametrize("field", ["weight_bytes", "parameters"])
@pytest.mark.parametrize("value", [0, -1, -(10**12), 10**18])
def test_a_size_that_cannot_be_is_refused(field: str, value: int) -> None:
    question = asked(CARD, "Qwen3-0.6B")
    odd = replace(question, facts=replace(question.facts, **{field: value}))
    with pytest.raises(Unanswerable, match=r"^[^\n]* that cannot be$"):
        plan(odd)


def test_a_negative_size_has_a_kind() -> None:
    assert kind(ModelFacts(name="x", source="test", weight_bytes=-(10**9), parameters=10**9)) == "k-quant"


def test_a_model_of_nothing_has_no_ceiling() -> None:
    """A GGUF file whose only tensor has dimensions of 0."""
    empty = ModelFacts(
        name="empty",
        source="test",
        parameters=0,
        weight_bytes=0,
        embedding_bytes=0,
        embedding_parameters=0,
        tied_embeddings=False,
    )
    question = asked(CARD, "Qwen3-0.6B")
    roof = ceiling(empty, Load(), list(question.devices))
    assert roof.decode_tps is None
    assert roof.reason and "\n" not in roof.reason


@pytest.mark.parametrize("card", ["GTX 980 Ti", "RTX 3090", "H100 SXM 80GB"])
def test_a_limit_above_the_highest_is_the_highest(card: str) -> None:
    free, limited = (predict(asked(card, "Llama-3-70B", power_limit_w=watts)) for watts in (None, 5_000.0))
    most = asked(card, "Llama-3-70B").devices[0].power_limit_max_w
    stock = asked(card, "Llama-3-70B").devices[0].power_limit_default_w
    assert limited.draw is not None and free.draw is not None
    assert limited.draw.power_w <= (most or stock or 0.0) * 1.001
    assert most or limited.decode_tps.value == pytest.approx(free.decode_tps.value)
