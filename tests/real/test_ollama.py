"""A parent process called `ollama` with a real llama-server as its child: one row, under the names of Ollama."""

from pathlib import Path

import pytest
from serving.ollama import Ollama
from serving.place import interpreter
from serving.run import compare


def test_decode_is_what_the_clients_of_ollama_count(tmp_path: Path) -> None:
    """The middle of three windows: this machine may stand still for a moment, and then a client counts late."""
    python = interpreter(Ollama())
    if python is None:
        pytest.skip("xllamacpp is not installed")
    found = compare(Ollama(), python, tmp_path, window_s=4)
    assert found.middle is not None, found.view
    assert found.middle.difference == pytest.approx(0, abs=0.03)
    view = found.view
    assert view is not None and view.model is not None
    assert (view.engine, view.version, view.liveness) == ("Ollama", "0.33.0", "token")
    assert view.decode_source == "GET /slots n_decoded of its llama-server"
    assert view.model.name == "small:latest"
    assert view.model.quantization == "Q4_0"
    assert view.url != view.id, "the counts come from the child, the address is that of Ollama"
