"""The real server of llama-cpp-python, which publishes nothing: its streams are counted by `llmtop proxy`."""

from pathlib import Path

import pytest
from serving.llama_cpp_python import LlamaCppPython
from serving.place import interpreter
from serving.run import compare


def test_decode_is_what_the_client_of_the_proxy_counts(tmp_path: Path) -> None:
    """The middle of three windows: this machine may stand still for a moment, and then a client counts late."""
    python = interpreter(LlamaCppPython())
    if python is None:
        pytest.skip("llama-cpp-python is not installed")
    found = compare(LlamaCppPython(), python, tmp_path, window_s=4)
    assert found.middle is not None, found.view
    assert found.middle.difference == pytest.approx(0, abs=0.03)
    view = found.view
    assert view is not None and view.model is not None
    assert (view.engine, view.liveness, view.about) == ("llama-cpp-python", "token", True)
    assert view.problem is None
    assert view.model.path == str(tmp_path / "small-Q4_0.gguf")
    assert view.model.quantization == "Q4_0"
