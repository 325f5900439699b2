"""CTranslate2 in a loop of its own, which calls `llmtop.hook` for each token."""

from pathlib import Path

import pytest
from serving.ctranslate2 import CTranslate2
from serving.place import interpreter
from serving.run import compare


def test_decode_is_what_the_loop_itself_counts(tmp_path: Path) -> None:
    """The middle of three windows: this machine may stand still for a moment."""
    python = interpreter(CTranslate2())
    if python is None:
        pytest.skip("ctranslate2 is not installed")
    found = compare(CTranslate2(), python, tmp_path, window_s=4)
    assert found.middle is not None, found.view
    assert found.middle.difference == pytest.approx(0, abs=0.03)
    view = found.view
    assert view is not None and view.model is not None
    assert (view.engine, view.liveness, view.about) == ("CTranslate2", "token", False)
    assert view.requests_running == 1
    assert view.problem is None
    assert view.model.path == str(tmp_path / "small")
    assert view.model.quantization == "INT8"
    assert view.model.bytes_per_token is not None and view.model.weight_bytes is not None
    assert view.model.bytes_per_token < view.model.weight_bytes  # the input embedding is not streamed
