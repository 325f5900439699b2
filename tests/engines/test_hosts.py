"""Ollama with the llama-server that it starts: one row under the name that the person knows, as models come and go.

Ollama is emulated: a process of its name that answers as recorded. Its children are real llama-servers.
"""

import hashlib
import json
import os
import signal
from pathlib import Path

import pytest
from llmtop.probes.engines.ollama import Ollama
from llmtop.tui.live import Live

from ..demo.processes import wait_for
from ..real.engine import Clients, free_port
from .host import Parent, Watch

MANIFEST = "application/vnd.ollama.image.model"


@pytest.fixture
def ollama(tmp_path: Path) -> Parent:
    return Parent(tmp_path, "ollama", Ollama.PATHS)


def blob(store: Path, model: Path, name: str) -> Path:
    """Puts a model into a store as Ollama does: the file under its digest, and a manifest that names it."""
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    path = store / "blobs" / f"sha256-{digest}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.hardlink_to(model)
    words, _, tag = name.partition(":")
    manifest = store / "manifests" / "registry.ollama.ai" / "library" / words / tag
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps({"layers": [{"mediaType": MANIFEST, "digest": f"sha256:{digest}", "size": 1}]}))
    return path


def says(parent: Parent, *loaded: str) -> None:
    """What Ollama 0.30 says with these models loaded."""
    listed = [{"id": name, "object": "model", "owned_by": "library"} for name in ("llama3.2:1b", "qwen3:0.6b")]
    parent.answers(
        {
            "/api/version": {"version": "0.30.1"},
            "/v1/models": {"object": "list", "data": listed},
            "/api/ps": {"models": [{"name": name, "model": name, "size": 1} for name in loaded]},
        }
    )


def test_a_model_is_loaded_generates_is_swapped_and_unloaded(
    ollama: Parent, models: tuple[Path, Path], tmp_path: Path
) -> None:
    store = tmp_path / "store"
    first, second = blob(store, models[0], "llama3.2:1b"), blob(store, models[1], "qwen3:0.6b")
    with ollama as parent:
        says(parent)
        with Watch(parent) as watch:
            row = watch.until(5, engine="Ollama", status="idle")
            assert (row.model, row.problem, row.version, row.decode_tps) == (None, "no model loaded", "0.30.1", None)

            says(parent, "llama3.2:1b")
            child = parent.load(first)
            row = watch.until(15, engine="Ollama", status="idle", model="llama3.2:1b", liveness="token")
            assert (row.url, row.pid, row.version) == (parent.url, child.pid, "0.30.1")
            assert row.decode_source == "GET /slots n_decoded of its llama-server"
            assert row.model is not None
            assert row.model.path == str(first)
            assert row.model.weight_bytes, "the sizes come from the blob"

            with Clients(child, 1, tokens=4000) as clients:
                clients.wait_for(20)
                row = watch.until(10, engine="Ollama", status="ok", model="llama3.2:1b", requests_running=1.0)
                assert wait_for(lambda: (watch.rows[0].decode_tps or 0.0) > 5.0, 10), watch.rows

            parent.unload(child)
            says(parent, "qwen3:0.6b")
            other = parent.load(second)
            row = watch.until(15, engine="Ollama", status="idle", model="qwen3:0.6b")
            assert row.pid == other.pid

            parent.unload(other)
            says(parent)
            watch.until(10, engine="Ollama", status="idle", problem="no model loaded", model=None)


def test_two_models_at_once_are_two_rows_with_their_own_names(
    ollama: Parent, models: tuple[Path, Path], tmp_path: Path
) -> None:
    """`GET /api/ps` does not tell which is which: the manifests do."""
    store = tmp_path / "store"
    with ollama as parent:
        says(parent, "qwen3:0.6b", "llama3.2:1b")
        for model, name in zip(models, ("llama3.2:1b", "qwen3:0.6b"), strict=True):
            parent.load(blob(store, model, name)).wait()
        with Watch(parent) as watch:
            names = {"llama3.2:1b", "qwen3:0.6b"}
            assert wait_for(lambda: {row.model and row.model.name for row in watch.rows} == names, 10), watch.rows
            assert {row.engine for row in watch.rows} == {"Ollama"}
            told = {row.model.name: row.model.path for row in watch.rows if row.model}
            assert told["llama3.2:1b"] == str(blob(store, models[0], "llama3.2:1b"))


def test_a_killed_ollama_is_missed_until_it_is_back(ollama: Parent, models: tuple[Path, Path]) -> None:
    with ollama as parent:
        says(parent, "llama3.2:1b")
        child = parent.load(models[0])
        child.wait()
        with Watch(parent) as watch:
            watch.until(5, engine="Ollama", status="idle", model="llama3.2:1b")
            parent.kill()
            os.kill(child.pid, signal.SIGKILL)
            row = watch.until(5, engine="Ollama", status="unreachable")
            assert row.url == parent.url
            assert row.model is not None
            assert row.model.name == "llama3.2:1b"
            parent.start()
            says(parent)
            watch.until(10, engine="Ollama", status="idle", problem="no model loaded")


def test_a_child_that_hangs_keeps_its_row(ollama: Parent, models: tuple[Path, Path]) -> None:
    with ollama as parent:
        says(parent, "llama3.2:1b")
        child = parent.load(models[0])
        child.wait()
        with Watch(parent) as watch:
            watch.until(5, engine="Ollama", status="idle", model="llama3.2:1b")
            os.kill(child.pid, signal.SIGSTOP)
            try:
                watch.until(10, engine="Ollama", status="unreachable", url=parent.url)
            finally:
                os.kill(child.pid, signal.SIGCONT)
            watch.until(10, engine="Ollama", status="idle", model="llama3.2:1b")


def test_an_orphan_goes_on_as_what_it_is(ollama: Parent, models: tuple[Path, Path]) -> None:
    """Ollama was killed, but its llama-server was not: it serves nobody under Ollama's name any more."""
    with ollama as parent:
        says(parent, "llama3.2:1b")
        child = parent.load(models[0])
        child.wait()
        live = Live([parent.url, child.url], interval=0.25, discover=False)
        live.start()
        try:
            assert wait_for(lambda: [row.engine for row in live.snapshot().engines] == ["Ollama"], 5)
            parent.kill()
            assert wait_for(lambda: "llama.cpp" in {row.engine for row in live.snapshot().engines}, 10)
        finally:
            live.stop()
            os.kill(child.pid, signal.SIGKILL)


def test_it_is_found_without_being_named(ollama: Parent, models: tuple[Path, Path]) -> None:
    with ollama as parent:
        says(parent, "llama3.2:1b")
        child = parent.load(models[0])
        child.wait()
        live = Live([], interval=0.5)
        live.start()
        try:
            ours = {parent.pid, child.pid}

            def rows() -> list[tuple[str, str, str]]:
                views = [view for view in live.snapshot().engines if view.pid in ours or view.url == parent.url]
                return [(view.engine, view.url, view.model.name if view.model else "") for view in views]

            assert wait_for(lambda: rows() == [("Ollama", parent.url, "llama3.2:1b")], 10), live.snapshot().engines
        finally:
            live.stop()


RUNNER = """
import pathlib, socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[4])))
while True:
    server.accept()
    pathlib.Path("asked").touch()
"""


def test_an_older_ollama_has_a_runner_that_counts_nothing(ollama: Parent, tmp_path: Path) -> None:
    """Before 0.30: `ollama runner --model BLOB --port PORT` is never asked; Ollama tells what is loaded."""
    (tmp_path / "runner").write_text(RUNNER)
    with ollama as parent:
        says(parent, "llama3.2:1b")
        parent.answers({"/api/version": {"version": "0.12.3"}})
        parent.spawn([str(tmp_path / "ollama"), "runner", "--model", "/blobs/sha256-0", "--port", str(free_port())])
        with Watch(parent) as watch:
            row = watch.until(5, engine="Ollama", status="ok", model="llama3.2:1b")
            assert row.decode_tps is None
            assert row.problem is not None
            assert f"llmtop proxy --upstream {parent.url}" in row.problem
        live = Live([], interval=0.5)
        live.start()
        live.settle()
        live.stop()
        assert not (tmp_path / "asked").exists()
