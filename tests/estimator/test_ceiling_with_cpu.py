"""The ceiling of a model of which a part is left to the CPU: by hand, as a law, and on published rows."""

import pytest
from llmtop.estimator.accuracy import question as question_of
from llmtop.estimator.catalogue.formats import format as known_format
from llmtop.estimator.catalogue.machine_words import machine
from llmtop.estimator.catalogue.models import model
from llmtop.estimator.catalogue.names import UnknownName
from llmtop.estimator.measurements import SHIPPED, load
from llmtop.estimator.predict import predict
from llmtop.estimator.question import Question, plan
from llmtop.estimator.rates import rates
from llmtop.estimator.silicon import default_backend
from llmtop.estimator.software import Software, engine
from llmtop.estimator.terms import Unanswerable
from llmtop.probes.sample import Device, ModelFacts
from msgspec.structs import replace

MODELS = ("Llama-3.1-8B", "Gemma-3-27b-it", "Llama-3.1-70B", "Mixtral-8x7B-v0.1", "Qwen3-30B-A3B", "DeepSeek-V3")
FORMATS = ("Q4_0", "Q4_K_M", "Q8_0", "F16")


def facts(name: str, quantization: str) -> ModelFacts:
    return model(name).facts(known_format(quantization))


def asked(card: Device, of: ModelFacts, **rest: object) -> Question:
    software = Software(engine=engine("llama.cpp"), backend=default_backend(card))
    return replace(Question(facts=of, software=software, devices=(card,)), **rest)


def test_the_ceiling_of_a_model_on_card_and_cpu_by_hand() -> None:
    """What 12 GiB at 360 GB/s do not hold is read at 51.2, after the rest; the table of inputs is read by nobody."""
    card, ram = machine("RTX 3060 12GB + 32GB RAM")
    for name in ("Llama-3.1-70B", "Qwen3-32B", "Mixtral-8x7B-v0.1"):
        of = facts(name, "Q4_K_M")
        roof = predict(replace(asked(card, of, prompt=0.0, context=1000.0), host=ram)).ceiling.decode_tps
        cache = (of.kv_elements or 0) * 2 * 1000
        on_host = float(of.weight_bytes or 0) + cache - 12 * 2**30 - (of.embedding_bytes or 0)
        share = (of.expert_used_count or 1) / (of.expert_count or 1)
        idle = of.expert_bytes * (1 - share) if of.expert_count else 0.0
        read = (of.weight_bytes or 0) + cache - (of.embedding_bytes or 0) - idle
        on_host *= share
        assert roof == pytest.approx(1e9 / ((read - on_host) / 360 + on_host / 51.2), rel=1e-3), name


@pytest.mark.parametrize("quantization", FORMATS)
def test_nothing_expected_of_card_and_cpu_passes_their_ceiling(quantization: str) -> None:
    """Before the range is cut, wherever the layers go; and what is measured in `published.csv` does not, either."""
    for words in ("RTX 3060 12GB + 64GB RAM", "Tesla K80 + EPYC 9654 768GB", "2x RTX 3090 + EPYC 9354 384GB"):
        *cards, ram = machine(words)
        for of in (facts(each, quantization) for each in MODELS):
            for streams in (1.0, 16.0):
                question = replace(asked(cards[0], of, streams=streams), devices=tuple(cards), host=ram)
                laid = plan(question)
                found = rates(question, laid)
                roof = found.ceiling.decode_tps
                assert roof is not None
                assert streams / found.step.seconds <= roof, (words, of.name, streams)


def test_no_measurement_with_a_part_on_the_cpu_passes_its_ceiling() -> None:
    seen = 0
    for row in load(SHIPPED):
        if row.metric != "decode_tps" or row.n_devices != 1:
            continue
        try:
            of_row = question_of(row)
            laid = plan(of_row)
        except (UnknownName, Unanswerable):
            continue
        if laid.placement.note is None:
            continue
        roof = rates(of_row, laid).ceiling.decode_tps
        seen += 1
        assert roof is not None and row.value is not None and row.value <= roof, row
    assert seen > 3
