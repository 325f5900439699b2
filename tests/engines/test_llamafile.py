"""llamafile: llama.cpp under another name, and its own server of 0.9 that tells nothing."""

import pytest
from llmtop.probes.engines.llamacpp import LlamaCpp
from llmtop.probes.engines.llamafile import Llamafile
from llmtop.probes.process import Process

from .conftest import Emulate
from .data import body

PROPS, SLOTS = body("llama-server", "idle.props.json"), body("llama-server", "decoding.slots.json")


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        ("./Qwen3-8B-Q4_K_M.llamafile --server", True),
        ("/usr/bin/ape /home/me/gemma.llamafile", True),
        ("/home/me/.ape-1.10 ./llamafile-0.10.0 -m x.gguf", True),
        ("llamafile.exe --server -m x.gguf", True),
        ("llama-server -m gemma.llamafile", False),
        ("cp gemma.llamafile elsewhere", False),
    ],
)
def test_its_command_line(command: str, claimed: bool) -> None:
    words = tuple(command.split())
    process = Process(1, words, words[0])
    assert Llamafile.claims(process) is claimed
    assert not (claimed and LlamaCpp.claims(process))


def test_it_is_read_like_llama_cpp(emulate: Emulate) -> None:
    answers = {"/props": PROPS, "/slots": SLOTS}
    reading = emulate("llamafile", answers, server="llama.cpp").read("./gemma.llamafile", "--server")
    assert (reading.engine, reading.status, reading.liveness) == ("llamafile", "ok", "token")
    assert reading.decode_source == "GET /slots n_decoded"


def test_an_older_one_does_not_say_whether_its_slots_are_open_and_they_are_not(emulate: Emulate) -> None:
    props = PROPS.replace(b'"endpoint_slots":true', b'"x":1').replace(b'"endpoint_metrics":true', b'"y":1')
    llamafile = emulate("llamafile", {"/props": props}, server="llama.cpp")
    reading = llamafile.read("./gemma.llamafile")
    assert (reading.status, reading.decode_tps) == ("ok", None)
    assert llamafile.paths.count("/slots") == 1


def test_its_second_server_asks_for_a_proxy(emulate: Emulate) -> None:
    second = emulate("llamafile", {}, server="llamafile/0.9.3")
    reading = second.read("./gemma.llamafile", "--server", "--v2")
    assert (reading.engine, reading.version, reading.status) == ("llamafile", "0.9.3", "ok")
    assert reading.problem is not None
    assert "llmtop proxy" in reading.problem
    assert second.paths == ["/version"]
