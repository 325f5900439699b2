"""Classes of measurements."""

from llmtop.estimator.accuracy import question
from llmtop.estimator.groups import GROUPS, sort
from llmtop.estimator.measurements import Measurement
from msgspec.structs import replace

ROW = Measurement(
    id="a",
    hardware="RTX 4090",
    engine="llama.cpp",
    backend="cuda",
    model="Llama-2-7B",
    quant="Q4_0",
    n_gen=128,
    context=0,
    metric="decode_tps",
    value=186.21,
)


def groups(row: Measurement, *, answered: bool = True) -> set[str]:
    of = sort(row, question(row) if answered else None)
    return {name for name, choice in GROUPS.items() if choice(of)}


def test_a_row_is_in_its_class_and_its_parts() -> None:
    assert groups(ROW) == {"decode, llama.cpp, one device"}
    assert groups(replace(ROW, context=8192)) == {"decode, llama.cpp, one device", "· context above 4k"}
    assert groups(replace(ROW, model="Qwen3-30B-A3B")) == {"decode, llama.cpp, one device", "· mixture of experts"}
    assert groups(replace(ROW, n_devices=2)) == {"decode, llama.cpp, several devices"}
    assert groups(replace(ROW, engine="Ollama")) == {"decode, user-submitted (llamafile, Ollama)"}
    assert groups(replace(ROW, engine="llamafile/localscore", metric="prefill_tps")) == {"prefill, user-submitted"}
    assert groups(replace(ROW, engine="vLLM")) == {"decode, other engines"}
    assert groups(replace(ROW, engine="vLLM", metric="prefill_tps")) == {"prefill, all others"}
    assert groups(replace(ROW, engine="vLLM", metric="throughput_tps", n_prompt=512)) == {"throughput, dense"}


def test_a_row_that_nothing_can_be_said_of_has_a_class_too() -> None:
    strange = replace(ROW, hardware="Abacus 9000")
    assert groups(strange, answered=False) == {"decode, llama.cpp, one device"}
    assert groups(replace(strange, engine="Sponge"), answered=False) == {"decode, other engines"}
    assert groups(replace(strange, metric="watts"), answered=False) == set()
