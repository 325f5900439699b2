"""What an engine hands over may be anything: none of it may break the user's loop."""

import pytest

from .conftest import Run

ODD = """
from llmtop import hook
class Odd:
    def __getattr__(self, name): raise RuntimeError(name)
    def __iter__(self): raise RuntimeError("iter")
    def __bool__(self): raise RuntimeError("bool")
    def __index__(self): raise RuntimeError("index")
    def __len__(self): raise RuntimeError("len")
odd = Odd()
with hook.generation(engine="any", model="m") as seen:
    seen.token()
    {call}
    print(True)
"""


@pytest.mark.parametrize(
    "call",
    [
        "hook.transformers.Streamer(seen, end=odd)",
        "hook.transformers.Streamer(seen).put(odd)",
        "hook.transformers.Criterion(seen)(odd)",
        "hook.mii.responses(seen, odd)",
        "hook.mii.callback(seen)(odd)",
        "list(hook.mlx_lm.responses(seen, [odd]))",
        "hook.mlx_lm.progress(seen)(odd, odd)",
        "hook.ctranslate2.callback(seen)(odd)",
        "list(hook.ctranslate2.steps(seen, [odd]))",
        "hook.llama_cpp.Criterion(seen)(odd, odd)",
        "list(hook.llama_cpp.chunks(seen, [odd]))",
        'hook.exllama.Jobs(engine="exllamav2").results([odd])',
    ],
)
def test_what_an_engine_hands_over_breaks_no_loop(run: Run, call: str) -> None:
    done = run(ODD.replace("{call}", call))
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_a_tensor_of_ends_ends_rows(run: Run) -> None:
    done = run("""
import numpy
from llmtop import hook
with hook.generation(engine="transformers", model="m") as seen:
    streamer = hook.transformers.Streamer(seen, end=numpy.array([7, 9]))
    for step in ([[1, 2], [3, 4]], [5, 7], [9, 0], [0, 0]):
        streamer.put(numpy.array(step))
        print(seen.sequences)
""")
    assert (done.stdout.split(), done.stderr) == (["2", "1", "1", "1"], "")
