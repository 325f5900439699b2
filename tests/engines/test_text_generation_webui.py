"""text-generation-webui with loaders that tell nothing."""

import pytest
from llmtop.probes.engines.text_generation_webui import TextGenerationWebui
from llmtop.probes.process import Process

from .conftest import Body, Emulate
from .data import body

COMMAND = ("python", "server.py", "--api", "--loader", "ExLlamaV3_HF")
INFO = "/v1/internal/model/info"


def answers(name: str) -> dict[str, Body]:
    return {"/v1/models": body("text-generation-webui", "v1_models.json"), INFO: body("text-generation-webui", name)}


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        ("python server.py --api --model x", True),
        ("/home/me/text-generation-webui/portable_env/bin/python3 server.py", True),
        ("python3 /srv/text-generation-webui/server.py", True),
        ("python server.py --port 8000", False),
        ("python -m http.server", False),
        ("python main.py --api", False),
    ],
)
def test_its_command_line(command: str, claimed: bool) -> None:
    words = tuple(command.split())
    assert TextGenerationWebui.claims(Process(1, words, words[0])) is claimed


@pytest.mark.parametrize(
    ("file", "model", "loader"),
    [
        ("4.7-exllamav3_hf.json", "turboderp_Qwen3-8B-exl3_4.0bpw", "ExLlamaV3_HF"),
        ("1.8-exllamav2_hf.json", "TheBloke_Llama-2-7B-GPTQ", "ExLlamav2_HF"),
    ],
)
def test_an_exllama_loader_has_no_counter_and_says_so(emulate: Emulate, file: str, model: str, loader: str) -> None:
    webui = emulate("text-generation-webui", answers(file))
    reading = webui.read(*COMMAND)
    assert (reading.engine, reading.status) == ("text-generation-webui", "ok")
    assert reading.model is not None
    assert reading.model.name == model
    assert (reading.decode_tokens, reading.decode_tps, reading.liveness) == (None, None, None)
    assert reading.problem == (
        f"its loader {loader} publishes no live count: run llmtop proxy --upstream {webui.url} and point clients at it"
    )


def test_nothing_loaded_is_idle(emulate: Emulate) -> None:
    reading = emulate("text-generation-webui", answers("4.7-nothing.json")).read(*COMMAND)
    assert (reading.status, reading.problem, reading.model) == ("idle", "no model loaded", None)


def test_one_far_away_is_known_by_its_owner_and_its_path(emulate: Emulate) -> None:
    assert emulate("text-generation-webui", answers("4.7-exllamav3_hf.json")).read().engine == "text-generation-webui"


def test_a_locked_one_wants_a_key(emulate: Emulate) -> None:
    locked: dict[str, Body] = {INFO: "401 Unauthorized", "/v1/models": "401 Unauthorized"}
    assert emulate("text-generation-webui", locked).read(*COMMAND).status == "unauthorized"


def test_its_page_for_people_gets_no_row(emulate: Emulate) -> None:
    """Gradio, on a port of the same process."""
    page = emulate("text-generation-webui", {"/": b"<html>"})
    source = page.source(*COMMAND, explicit=False)
    assert source.read() is None
    assert source.period >= 5.0, "nor is it asked again and again"
