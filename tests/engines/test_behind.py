"""llama-swap, a router of llama.cpp, Lemonade and text-generation-webui, with the real llama-servers behind them.

The hosts are emulated: processes of their names that answer as recorded.
"""

from pathlib import Path

from llmtop.probes.engines.behind import Behind
from llmtop.probes.engines.contract import Host
from llmtop.probes.engines.lemonade import Lemonade
from llmtop.probes.engines.llama_swap import LlamaSwap
from llmtop.probes.engines.llamacpp import LlamaCpp
from llmtop.probes.engines.text_generation_webui import TextGenerationWebui
from llmtop.probes.process import Process
from llmtop.probes.sample import Engine, ModelFacts

from ..demo.processes import wait_for
from ..real.engine import Clients, Server
from .host import Child, Parent, Watch


def running(child: Child, name: str) -> dict[str, object]:
    """What llama-swap v190 says while one model runs."""
    model = {"model": name, "state": "ready", "cmd": "llama-server …", "proxy": child.url, "ttl": 0, "name": ""}
    return {"/running": {"running": [model]}}


def test_llama_swap_is_followed_to_its_child(models: tuple[Path, Path], tmp_path: Path) -> None:
    with Parent(tmp_path, "llama-swap", LlamaSwap.PATHS, script="config") as parent:
        parent.answers({"/running": {"running": []}, "/v1/models": {"data": [{"id": "a", "owned_by": "llama-swap"}]}})
        with Watch(parent) as watch:
            watch.until(5, engine="llama-swap", status="idle", problem="no model loaded")
            child = parent.load(models[0])
            parent.answers(running(child, "my-model"))
            row = watch.until(15, engine="llama.cpp", status="idle", model="my-model")
            assert row.via == f"llama-swap 127.0.0.1:{parent.port}"
            assert (row.url, row.pid) == (child.url, child.pid)
            with Clients(child, 1, tokens=4000) as clients:
                clients.wait_for(20)
                assert wait_for(lambda: (watch.rows[0].decode_tps or 0.0) > 5.0, 10), watch.rows
            parent.unload(child)
            other = parent.load(models[1])
            parent.answers(running(other, "your-model"))
            watch.until(15, engine="llama.cpp", status="idle", model="your-model", url=other.url)
            parent.unload(other)
            parent.answers({"/running": {"running": []}})
            watch.until(10, engine="llama-swap", status="idle", problem="no model loaded")


def test_llama_swap_before_v190_names_the_only_model(models: tuple[Path, Path], tmp_path: Path) -> None:
    with Parent(tmp_path, "llama-swap", LlamaSwap.PATHS, script="config") as parent:
        parent.answers({"/running": {"running": [{"model": "my-model", "state": "ready"}]}})
        parent.load(models[0]).wait()
        with Watch(parent) as watch:
            watch.until(5, engine="llama.cpp", status="idle", model="my-model")


def test_a_container_of_llama_swap_is_followed_by_its_url(models: tuple[Path, Path], tmp_path: Path) -> None:
    """Its llama-server is nobody's child here, as when a container runtime has started it."""
    with Server(models[0]) as server, Parent(tmp_path, "llama-swap", LlamaSwap.PATHS, script="config") as parent:
        parent.answers(running(Child(server.pid, server.port), "boxed"))
        with Watch(parent) as watch:
            row = watch.until(5, engine="llama.cpp", status="idle", model="boxed")
            assert row.via == f"llama-swap 127.0.0.1:{parent.port}"
            with Clients(server, 1, tokens=4000) as clients:
                clients.wait_for(20)
                assert wait_for(lambda: (watch.rows[0].decode_tps or 0.0) > 5.0, 10), watch.rows


def test_a_router_has_a_row_for_each_model_and_none_itself(models: tuple[Path, Path], tmp_path: Path) -> None:
    """llama-server without a model: `GET /models` has the command line of each of its servers."""
    served = {"server": "llama.cpp"}
    props = {"role": "router", "build_info": "b9000", "max_instances": 4}

    def listed(*children: tuple[str, Child]) -> dict[str, object]:
        loaded = [
            {"id": name, "status": {"value": "loaded", "args": ["llama-server", "--port", str(child.port)]}}
            for name, child in children
        ]
        return {"/models": {"data": [*loaded, {"id": "other", "status": {"value": "unloaded"}}]}}

    with Parent(tmp_path, "llama-server", LlamaCpp.PATHS, script="router", headers=served) as parent:
        parent.answers({"/props": props, **listed()})
        with Watch(parent) as watch:
            row = watch.until(5, engine="llama.cpp", status="idle")
            assert row.problem == "a router of 1 models: none is loaded now"
            child = parent.load(models[0])
            parent.answers(listed(("org/one:Q8_0", child)))
            row = watch.until(15, engine="llama.cpp", status="idle", model="org/one:Q8_0")
            assert row.via == f"llama.cpp router 127.0.0.1:{parent.port}"
            assert row.pid == child.pid
            parent.unload(child)
            parent.answers(listed())
            watch.until(10, engine="llama.cpp", problem="a router of 1 models: none is loaded now")
        assert not [path for path in parent.paths if "?" in path]


def test_lemonade_names_the_model_of_its_llama_server(models: tuple[Path, Path], tmp_path: Path) -> None:
    with Parent(tmp_path, "lemond", Lemonade.PATHS) as parent:
        parent.answers({"/api/v1/health": {"status": "ok", "version": "11.7.0", "all_models_loaded": []}})
        with Watch(parent) as watch:
            watch.until(5, engine="Lemonade", status="idle", problem="no model loaded", version="11.7.0")
            child = parent.load(models[0])
            loaded = {"model_name": "Qwen3-0.6B-GGUF", "recipe": "llamacpp", "backend_url": f"{child.url}/v1"}
            parent.answers({"/api/v1/health": {"status": "ok", "version": "11.7.0", "all_models_loaded": [loaded]}})
            row = watch.until(15, engine="llama.cpp", status="idle", model="Qwen3-0.6B-GGUF", liveness="token")
            assert row.via == f"Lemonade 127.0.0.1:{parent.port}"
        assert "/version" not in parent.paths, "it would leave an error in the log"


def test_the_llama_cpp_loader_of_text_generation_webui(models: tuple[Path, Path], tmp_path: Path) -> None:
    """The command line is `…/text-generation-webui/python3 server.py`; the same process serves a page for people."""
    folder = tmp_path / "text-generation-webui"
    folder.mkdir()
    info: dict[str, object] = {"model_name": "None", "lora_names": [], "loader": "llama.cpp"}
    with Parent(folder, "python3", TextGenerationWebui.PATHS, script="server.py") as parent:
        parent.answers({"/v1/internal/model/info": info})
        with Watch(parent) as watch:
            watch.until(5, engine="text-generation-webui", status="idle", problem="no model loaded")
            parent.load(models[0])
            parent.answers({"/v1/internal/model/info": info | {"model_name": "one.gguf"}})
            row = watch.until(15, engine="llama.cpp", status="idle", model="one.gguf", liveness="token")
            assert row.via == f"text-generation-webui 127.0.0.1:{parent.port}"


def test_another_model_behind_the_same_port_is_asked_for_anew() -> None:
    names = iter(["first", "second"])
    asked: list[str] = []

    def called(_: Engine) -> str:
        asked.append(next(names))
        return asked[-1]

    behind = Behind("llama-swap", Host("http://127.0.0.1:8080", Process(1, ("llama-swap",), "llama-swap")), called, "x")

    def seen(path: str) -> str | None:
        facts = ModelFacts(name="file", source="GGUF header", path=path)
        model = behind(Engine(engine="llama.cpp", url="http://127.0.0.1:1", status="ok", model=facts)).model
        return model.name if model else None

    assert [seen("/a.gguf"), seen("/a.gguf"), seen("/b.gguf"), seen("/b.gguf")] == [
        "first",
        "first",
        "second",
        "second",
    ]
    assert len(asked) == 2
