"""KoboldCpp: busy or not is live, its speeds are those of the last request."""

import pytest
from llmtop.probes.engines.koboldcpp import KoboldCpp
from llmtop.probes.process import Process

from .conftest import Body, Emulate, once
from .data import body

COMMAND = ("python3", "koboldcpp.py", "--model", "/models/gemma-3-4b-it-Q4_K_M.gguf")


def answers(perf: bytes, version: str = "1.121") -> dict[str, Body]:
    return {
        "/v1/models": body("koboldcpp", "v1_models.json"),
        "/api/extra/version": body("koboldcpp", f"{version}-version.json"),
        "/api/extra/perf": perf,
        "/api/extra/true_max_context_length": b'{"value":8192}',
        "/api/v1/model": b'{"result":"koboldcpp/gemma-3-4b-it-Q4_K_M"}',
        "/api/version": b'{"version":"0.7.0"}',
        "/api/ps": body("koboldcpp", "as-ollama-ps.json"),
        "/api/tags": body("koboldcpp", "as-ollama-ps.json"),
        "/api/extra/generate/check": b'{"results":[{"text":"what somebody is being told"}]}',
    }


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        (("./koboldcpp-linux-x64", "--model", "x.gguf"), True),
        (("/opt/koboldcpp/koboldcpp_cu12.exe",), True),
        (("python3", "/srv/koboldcpp.py", "x.gguf", "5001"), True),
        (("python3", "server.py", "--kobold"), False),
        (("less", "koboldcpp.log"), False),
    ],
)
def test_its_command_line(command: tuple[str, ...], claimed: bool) -> None:
    assert KoboldCpp.claims(Process(1, command, command[0])) is claimed


def test_the_speeds_are_those_of_the_last_request(emulate: Emulate) -> None:
    kobold = emulate("KoboldCpp", answers(body("koboldcpp", "1.121-perf.json")), server="KoboldCppServer")
    reading = kobold.read(*COMMAND)
    assert (reading.engine, reading.version, reading.status) == ("KoboldCpp", "1.121", "idle")
    assert reading.last_decode_tps == pytest.approx(273.927, rel=1e-4)
    assert reading.last_prefill_tps is None, "16000 tokens/s are 16 tokens in a time that its clock cannot tell"
    assert (reading.decode_tokens, reading.decode_tps, reading.liveness) == (None, None, None)
    assert (reading.requests_running, reading.requests_waiting) == (0.0, 0.0)
    assert reading.model is not None
    assert (reading.model.name, reading.model.context_length) == ("gemma-3-4b-it-Q4_K_M", 8192)
    assert reading.problem is not None
    assert "llmtop proxy" in reading.problem


def test_a_prefill_that_took_a_while_is_told(emulate: Emulate) -> None:
    """2818 tokens in 0.197 s, as others have measured it."""
    perf = body("koboldcpp", "1.121-perf.json")
    perf = perf.replace(b'"last_process_time":0.001', b'"last_process_time":0.197')
    perf = perf.replace(b'"last_process_speed":16000.0', b'"last_process_speed":14304.57')
    assert emulate("KoboldCpp", answers(perf)).read(*COMMAND).last_prefill_tps == 14304.57


def test_an_older_one_tells_milliseconds_per_token(emulate: Emulate) -> None:
    kobold = emulate("KoboldCpp", answers(body("koboldcpp", "1.76-perf.json"), "1.76"))
    reading = kobold.read(*COMMAND)
    assert (reading.version, reading.last_decode_tps) == ("1.76", 1000 / 20)
    assert reading.last_prefill_tps is None


def test_before_its_first_request_there_is_no_speed(emulate: Emulate) -> None:
    reading = emulate("KoboldCpp", answers(body("koboldcpp", "1.121-fresh-perf.json"))).read(*COMMAND)
    assert (reading.last_decode_tps, reading.last_prefill_tps) == (None, None)


def test_it_is_busy_while_it_says_so(emulate: Emulate) -> None:
    perf = body("koboldcpp", "1.121-perf.json")
    kobold = emulate("KoboldCpp", answers(perf.replace(b'"queue":0,"idle":1', b'"queue":2,"idle":0')))
    source = kobold.source(*COMMAND)
    reading = once(source)
    assert (reading.status, reading.requests_running, reading.requests_waiting) == ("ok", None, 2.0)
    kobold.answers["/api/extra/perf"] = perf
    assert once(source).status == "idle"


@pytest.mark.parametrize("server", ["KoboldCppServer 1", "ConcedoLlamaForKoboldServer", "nginx"])
def test_one_far_away_is_known_by_its_header_or_its_owner_and_not_for_ollama(emulate: Emulate, server: str) -> None:
    kobold = emulate("KoboldCpp", answers(body("koboldcpp", "1.121-perf.json")), server=server)
    assert kobold.read().engine == "KoboldCpp"


def test_no_model_is_said(emulate: Emulate) -> None:
    said = answers(body("koboldcpp", "1.121-fresh-perf.json")) | {"/api/v1/model": b'{"result":"inactive"}'}
    reading = emulate("KoboldCpp", said).read(*COMMAND)
    assert (reading.model, reading.problem) == (None, "no model loaded")


@pytest.mark.parametrize("perf", [b"", b"{}", b"[1]", b'{"idle":"yes"}', "503 Service Unavailable"])
def test_wrong_answers_are_one_clear_line(emulate: Emulate, perf: Body) -> None:
    reading = emulate("KoboldCpp", {**answers(b""), "/api/extra/perf": perf}).read(*COMMAND)
    assert reading.status == "unsupported"
    assert reading.problem is not None
    assert "/api/extra/perf" in reading.problem
