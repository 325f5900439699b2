"""The real server of mlx-lm, which publishes nothing: its streams are counted by `llmtop proxy` on their way."""

from pathlib import Path

import pytest
from serving.mlx_lm import MlxLm
from serving.place import interpreter
from serving.run import compare


def test_decode_is_what_the_clients_of_the_proxy_count(tmp_path: Path) -> None:
    """The middle of three windows: this machine may stand still for a moment, and then a client counts late."""
    python = interpreter(MlxLm())
    if python is None:
        pytest.skip("mlx-lm is not installed")
    found = compare(MlxLm(), python, tmp_path, window_s=4)
    assert found.middle is not None, found.view
    assert found.middle.difference == pytest.approx(0, abs=0.03)
    view = found.view
    assert view is not None and view.model is not None
    assert (view.engine, view.status) == ("mlx-lm", "ok")
    assert view.problem is None
    assert view.liveness == "token"
    assert view.about, "pieces of a stream are taken for tokens until the end tells how many there were"
    assert view.requests_running == MlxLm.streams
    assert view.model.path == str(tmp_path / "small")
