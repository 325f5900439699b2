"""LM Studio: what is loaded, and no path that leaves an error in its log."""

import pytest
from llmtop.probes.engines.lm_studio import LMStudio
from llmtop.probes.process import Process

from .conftest import Body, Emulate, once
from .data import body

COMMAND = ("/opt/LM Studio/lm-studio",)
MODELS = body("lm-studio", "v0_models.json")
UNKNOWN = body("lm-studio", "unknown.json")


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        (("/Applications/LM Studio.app/Contents/MacOS/LM Studio",), True),
        ((r"C:\Program Files\LM Studio\LM Studio.exe",), True),
        (("/home/me/LM-Studio-0.4.2-x64.AppImage",), True),
        (("/home/me/.lmstudio/bin/llmster",), True),
        (("/home/me/.lmstudio/bin/lms", "ps"), False),
    ],
)
def test_its_command_line(command: tuple[str, ...], claimed: bool) -> None:
    assert LMStudio.claims(Process(1, command, command[0])) is claimed


def test_the_loaded_model_is_told_and_nothing_else_is_asked(emulate: Emulate) -> None:
    """A model for embeddings answers nobody."""
    studio = emulate("LM Studio", {"/api/v0/models": MODELS}, server=None, headers={"X-Powered-By": "Express"})
    source = studio.source(*COMMAND)
    once(source)
    once(source)
    reading = once(source)
    assert (reading.engine, reading.status, reading.decode_tps) == ("LM Studio", "ok", None)
    model = reading.model
    assert model is not None
    assert (model.name, model.quantization, model.architecture, model.context_length) == (
        "meta-llama-3.1-8b-instruct",
        "Q4_K_M",
        "llama",
        8192,
    )
    assert "llmtop proxy" in (reading.problem or "")
    assert studio.paths == ["/api/v0/models"], "each request is a line in its log, an unknown one is an error"


def test_before_loaded_context_length_the_context_is_unknown(emulate: Emulate) -> None:
    """`max_context_length` is what the model could do, not what was loaded."""
    models = MODELS.replace(b',"loaded_context_length":8192', b"")
    reading = emulate("LM Studio", {"/api/v0/models": models}, server=None).read(*COMMAND)
    assert reading.model is not None
    assert reading.model.context_length is None


def test_on_its_port_it_is_known_without_its_process_and_without_an_error(
    emulate: Emulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = emulate("LM Studio", {"/api/v0/models": MODELS}, server=None)
    monkeypatch.setattr(LMStudio, "ports", (int(studio.url.rpartition(":")[2]),))
    assert studio.read().engine == "LM Studio"
    assert studio.paths == ["/api/v0/models"]


def test_nothing_loaded_is_idle(emulate: Emulate) -> None:
    models = MODELS.replace(b'"loaded"', b'"not-loaded"')
    reading = emulate("LM Studio", {"/api/v0/models": models}, server=None).read(*COMMAND)
    assert (reading.status, reading.problem, reading.model) == ("idle", "no model loaded", None)


def test_the_key_of_a_locked_one_is_asked_for(emulate: Emulate) -> None:
    assert (
        emulate("LM Studio", {"/api/v0/models": "401 Unauthorized"}, server=None).read(*COMMAND).status
        == "unauthorized"
    )


def test_one_before_0_3_6_answers_200_to_everything_and_is_not_understood(emulate: Emulate) -> None:
    said: dict[str, Body] = dict.fromkeys(("/api/v0/models", "/version", "/v1/models"), UNKNOWN)
    reading = emulate("LM Studio", said, server=None).read(*COMMAND)
    assert (reading.engine, reading.status) == ("LM Studio", "unsupported")
