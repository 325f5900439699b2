"""What no engine may ever be asked, as a table: no adapter has it on its list or in its code, or a way to send it.

What bites on some conditions only is not here: llama.cpp's `/slots` wakes a sleeping server, and its `/metrics` empties
two gauges of whoever else reads it. Its adapter's tests are of that.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from llmtop.probes import engines
from llmtop.probes.engines import ENGINES, HOSTS
from llmtop.probes.engines.contract import EngineAdapter
from llmtop.probes.fetch import Fetch

from .conftest import FORBIDDEN as BITES
from .conftest import HARMLESS


class Forbidden(NamedTuple):
    """Paths that answer a GET, or may come to answer one, and do more than tell."""

    engine: str
    why: str
    paths: tuple[str, ...]
    """With a slash at the end: all that begins so."""


TABLE = (
    Forbidden("SGLang", "generates a token when it is idle", ("/health", "/health_generate")),
    Forbidden(
        "SGLang",
        "changes what it does, on a GET as well",
        (
            *("/flush_cache", "/start_profile", "/stop_profile", "/release_memory_occupation"),
            *("/resume_memory_occupation", "/slow_down", "/freeze_gc", "/weights_checker", "/open_session"),
            *("/close_session", "/configure_logging"),
        ),
    ),
    Forbidden("SGLang", "writes a warning into the log", ("/get_model_info", "/get_server_info", "/get_load")),
    Forbidden("LMDeploy", "ends the server", ("/terminate", "/nodes/terminate_all")),
    Forbidden("DeepSpeed-MII", "ends the deployment", ("/terminate",)),
    Forbidden("llama.cpp", "reloads the list of a router, and may unload a model", ("/models?reload=1",)),
    Forbidden("llama-swap", "loads a model in place of another", ("/upstream/",)),
    Forbidden("llama-swap", "unloads all models", ("/unload",)),
    Forbidden("Ollama", "loads a model and keeps it", ("/api/generate", "/api/chat", "/api/embed")),
    Forbidden("MLC LLM", "resets the engine or starts a profiler", ("/debug/",)),
    Forbidden(
        "vLLM",
        "changes what it does",
        ("/sleep", "/wake_up", "/reset_prefix_cache", "/collective_rpc", "/start_profile"),
    ),
    Forbidden("transformers serve", "loads or unloads models", ("/load_model", "/reset")),
    Forbidden("KoboldCpp", "tells what somebody is being told", ("/api/extra/generate/check",)),
)
PATHS = tuple(dict.fromkeys(path for row in TABLE for path in row.paths))
EVERYBODY = tuple(dict.fromkeys((*ENGINES, *HOSTS)))
FOLDER = Path(engines.__file__).parent


def bites(path: str, engine: str | None) -> str | None:
    """The forbidden path that this one is, unless it is known to be harmless on this engine."""
    asked = path.partition("?")[0]
    for bad in PATHS:
        is_it = path == bad if "?" in bad else asked == bad or (bad.endswith("/") and asked.startswith(bad))
        if is_it and engine not in HARMLESS.get(bad, ()):
            return bad
    return None


def literals(place: Path) -> Iterator[str]:
    """The texts in a program that begin like a path; a docstring does not."""
    for node in ast.walk(ast.parse(place.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/"):
            yield node.value


def modules(place: Path) -> Iterator[str]:
    """What a program imports from outside the package."""
    for node in ast.walk(ast.parse(place.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("adapter", EVERYBODY, ids=lambda adapter: adapter.name)
def test_no_adapter_has_such_a_path_on_its_list(adapter: type[EngineAdapter]) -> None:
    assert [path for path in adapter.PATHS if bites(path, adapter.name)] == []


@pytest.mark.parametrize("adapter", EVERYBODY, ids=lambda adapter: adapter.name)
def test_a_list_names_paths_that_only_tell(adapter: type[EngineAdapter]) -> None:
    """No way into another server, no model that would be loaded for being named, and no text of a request."""
    for path in adapter.PATHS:
        assert path.startswith("/") and " " not in path and "//" not in path, path
        assert "model=" not in path and "reload" not in path, path


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.engine} {row.paths[0]}")
def test_what_an_engine_forbids_is_not_harmless_on_itself(row: Forbidden) -> None:
    assert not [path for path in row.paths if row.engine in HARMLESS.get(path, ())]


def test_what_is_harmless_is_forbidden_elsewhere_and_of_an_engine_that_there_is() -> None:
    names = {adapter.name for adapter in EVERYBODY}
    assert set(HARMLESS) <= set(PATHS)
    assert {name for engines_of in HARMLESS.values() for name in engines_of} <= names


def test_emulated_engines_fail_the_test_for_each_of_them() -> None:
    unwatched = {path for path in PATHS if path not in BITES}
    assert unwatched <= {"/get_load"}, "no list has it, and what is on no list fails as well"


@pytest.mark.parametrize("place", sorted(FOLDER.glob("*.py")), ids=lambda place: place.stem)
def test_no_program_holds_such_a_path(place: Path) -> None:
    names = {adapter.name for adapter in EVERYBODY if adapter.__module__.rpartition(".")[2] == place.stem}
    unknown: set[str | None] = {None}
    found = [text for text in literals(place) if all(bites(text, name) for name in names or unknown)]
    assert found == []


@pytest.mark.parametrize(
    ("path", "engine", "bad"),
    [
        ("/health", "SGLang", "/health"),
        ("/health", "mlx-lm", None),
        ("/health?x=1", "SGLang", "/health"),
        ("/debug/dump_event_trace", "MLC LLM", "/debug/"),
        ("/upstream/qwen/slots", "llama-swap", "/upstream/"),
        ("/models", "llama.cpp", None),
        ("/models?reload=1", "llama.cpp", "/models?reload=1"),
        ("/healthy", "SGLang", None),
        ("/metrics", None, None),
    ],
)
def test_the_table_bites(path: str, engine: str | None, bad: str | None) -> None:
    assert bites(path, engine) == bad


def test_nothing_but_get_can_be_sent() -> None:
    """Whoever asks an engine does so through this one, which has one verb."""
    assert {name for name in vars(Fetch) if not name.startswith("_")} == {"only", "get"}
    with pytest.raises(ValueError, match="not on the list"):
        Fetch("http://127.0.0.1:9").only(frozenset({"/metrics"})).get("/health")


@pytest.mark.parametrize("place", sorted(FOLDER.glob("*.py")), ids=lambda place: place.stem)
def test_no_adapter_opens_a_connection_of_its_own(place: Path) -> None:
    imported = set(modules(place))
    assert not imported & {"socket", "http.client", "urllib.request", "httptools", "httpx", "requests", "subprocess"}
