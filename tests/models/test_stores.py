"""Models by their names, in stores laid out as the programs lay them out."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llmtop.probes.models import BadModelFile, facts, locate

from .build import build
from .folders import folder
from .published import llama_3_1

DIGEST = "ab" * 32
MODEL = "application/vnd.ollama.image.model"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and none of the variables that name other places."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "OLLAMA_MODELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def gguf(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return build(path, {"general.architecture": "llama", "general.name": "m"}, {"token_embd.weight": (32, 8)})


def snapshot(hub: Path, name: str, revision: str = "0123abcd") -> Path:
    place = hub / f"models--{name.replace('/', '--')}" / "snapshots" / revision
    place.mkdir(parents=True)
    return place


def manifest(root: Path, *words: str, digest: str = f"sha256:{DIGEST}", media: str = MODEL) -> Path:
    path = root.joinpath("manifests", *words)
    path.parent.mkdir(parents=True, exist_ok=True)
    layers = [{"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:" + "0" * 64, "size": 1}]
    path.write_text(json.dumps({"schemaVersion": 2, "layers": [*layers, {"mediaType": media, "digest": digest}]}))
    return path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("llama3", ("registry.ollama.ai", "library", "llama3", "latest")),
        ("llama3:8b", ("registry.ollama.ai", "library", "llama3", "8b")),
        ("someone/model:tag", ("registry.ollama.ai", "someone", "model", "tag")),
        ("hf.co/bartowski/Llama-3.2-1B-GGUF:Q4_K_M", ("hf.co", "bartowski", "Llama-3.2-1B-GGUF", "Q4_K_M")),
    ],
)
def test_ollama(home: Path, name: str, words: tuple[str, ...]) -> None:
    root = home / ".ollama" / "models"
    manifest(root, *words)
    assert locate(name) is None
    blob = gguf(root / "blobs" / f"sha256-{DIGEST}")
    assert locate(name) == blob
    found = facts(str(blob))
    assert found is not None and found.name == "m"


def test_ollama_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(home / "big"))
    manifest(home / "big", "registry.ollama.ai", "library", "a", "latest")
    blob = gguf(home / "big" / "blobs" / f"sha256-{DIGEST}")
    assert (locate("a"), locate("a:latest"), locate("a:other"), locate("b")) == (blob, blob, None, None)


@pytest.mark.parametrize(
    "digest", ["../../../../etc/passwd", "sha256:../x", "sha256:" + "a" * 63, "sha256:" + "a" * 64 + "/..", "", "/etc"]
)
def test_a_digest_cannot_point_elsewhere(home: Path, digest: str) -> None:
    manifest(home / ".ollama" / "models", "registry.ollama.ai", "library", "a", "latest", digest=digest)
    (home / ".ollama" / "models" / "blobs").mkdir()
    assert locate("a") is None


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"\xff", b'{"layers": 1}', b'{"layers": [{"digest":' * 5000, b"[" * 10_000]
)
def test_a_broken_manifest_is_said_in_one_line(home: Path, text: bytes) -> None:
    manifest(home / ".ollama" / "models", "registry.ollama.ai", "library", "a", "latest").write_bytes(text)
    with pytest.raises(BadModelFile, match="no manifest of a model"):
        locate("a")


def test_a_huge_manifest_is_refused(home: Path) -> None:
    with manifest(home / ".ollama" / "models", "registry.ollama.ai", "library", "a", "latest").open("wb") as file:
        file.truncate(1 << 32)
    with pytest.raises(BadModelFile, match="a manifest of more than 1 MiB"):
        locate("a")


@pytest.mark.parametrize("variable", [None, "HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"])
def test_the_cache_of_hugging_face(home: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None) -> None:
    hub = home / ".cache" / "huggingface" / "hub"
    if variable is not None:
        monkeypatch.setenv(variable, str(home / "x"))
        hub = home / "x" / {"HF_HUB_CACHE": "", "HF_HOME": "hub", "XDG_CACHE_HOME": "huggingface/hub"}[variable]
    place = folder(snapshot(hub, "org/some-model"), llama_3_1())
    assert locate("org/some-model") == place
    found = facts(str(place))
    assert found is not None and found.name == "some-model"
    assert (locate("org/other"), locate("some-model"), locate("org/some-model/x")) == (None, None, None)


def test_main_names_the_snapshot(home: Path) -> None:
    hub = home / ".cache" / "huggingface" / "hub"
    old, new = (folder(snapshot(hub, "gpt2", name), llama_3_1()) for name in ("aaaa", "bbbb"))
    os.utime(old, (1, 1))
    assert locate("gpt2") == new
    (hub / "models--gpt2" / "refs").mkdir()
    (hub / "models--gpt2" / "refs" / "main").write_text("aaaa\n")
    assert locate("gpt2") == old
    for strange in ("../../../..", "/etc", "cccc", "x" * 10_000, "\0"):
        (hub / "models--gpt2" / "refs" / "main").write_text(strange)
        assert locate("gpt2") == new


def test_files_of_a_snapshot_are_links(home: Path) -> None:
    hub = home / ".cache" / "huggingface" / "hub"
    place, blobs = snapshot(hub, "org/m"), hub / "models--org--m" / "blobs"
    real = folder(blobs / "real", llama_3_1(), {"lm_head.weight": ("BF16", (8, 8))})
    for name in ("config.json", "model.safetensors"):
        (place / name).symlink_to(os.path.relpath(real / name, place))
    located = locate("org/m")
    assert located == place
    found = facts(str(located))
    assert found is not None and found.parameters == 64


def test_a_quantisation_picks_a_file(home: Path) -> None:
    place = snapshot(home / ".cache" / "huggingface" / "hub", "org/m-GGUF")
    for name in ("m-Q8_0.gguf", "m-Q4_K_M.gguf", "m-IQ2_XS.gguf", "mmproj-F16.gguf"):
        gguf(place / name)
    (place / "config.json").write_text("{}")
    shards = [gguf(place / "BF16" / f"m-BF16-{index:05}-of-00002.gguf") for index in (1, 2)]
    assert locate("org/m-GGUF") == place / "m-Q4_K_M.gguf"
    assert locate("org/m-GGUF:q8_0") == place / "m-Q8_0.gguf"
    assert locate("org/m-GGUF:BF16") == shards[0]
    assert locate("hf.co/org/m-GGUF:IQ2_XS") == place / "m-IQ2_XS.gguf"
    assert locate("org/m-GGUF:Q3_K_S") is None


@pytest.mark.parametrize("root", [".lmstudio/models", ".cache/lm-studio/models"])
def test_lm_studio(home: Path, root: str) -> None:
    path = gguf(home / root / "lmstudio-community" / "Qwen3-8B-GGUF" / "Qwen3-8B-Q4_K_M.gguf")
    mlx = folder(home / root / "mlx-community" / "Qwen3-8B-4bit", llama_3_1(), {"lm_head.weight": ("BF16", (8, 8))})
    assert locate("lmstudio-community/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf") == path
    assert locate("lmstudio-community/Qwen3-8B-GGUF") == path
    assert locate("qwen3-8b") == path
    assert locate("mlx-community/Qwen3-8B-4bit") == mlx
    assert locate("nobody/Qwen3-8B-GGUF") is None


def test_paths(home: Path) -> None:
    path = gguf(home / "models" / "m.gguf")
    assert locate(str(path)) == path
    assert locate("~/models/m.gguf") == path
    assert locate(str(home / "models")) == home / "models"
    assert locate(str(home / "nothing")) is None
    assert locate("/dev/zero") is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a/../b",
        "..",
        "a:../b",
        "../x",
        "~nobody-here/x",
        "a//b",
        "a\0b",
        "a\nb",
        "x" * 10_000,
        "C:\\x",
        "a/b/c/d/e/f",
        ":",
        "/",
        " ",
    ],
)
def test_names_that_would_lead_out_lead_nowhere(home: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "work").mkdir()
    monkeypatch.chdir(home / "work")
    (home / ".ollama" / "models" / "manifests" / "registry.ollama.ai").mkdir(parents=True)
    (home / ".cache" / "huggingface" / "hub").mkdir(parents=True)
    located = locate(name)
    assert located is None or (located.is_dir() and name in {"/", ".."})


@settings(max_examples=300, deadline=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.sampled_from("ab.:/~-_\\ \0é%"), max_size=24))
def test_no_name_raises(home: Path, name: str) -> None:
    root = home / ".ollama" / "models"
    (root / "manifests" / "registry.ollama.ai" / "library" / "a").mkdir(parents=True, exist_ok=True)
    located = locate(name)
    assert located is None or name.startswith(("/", "~", "./", "../"))


def test_links_in_a_circle(home: Path) -> None:
    hub = home / ".cache" / "huggingface" / "hub"
    place = snapshot(hub, "org/m").parent
    (place / "0123abcd").rmdir()
    (place / "0123abcd").symlink_to(place / "0123abcd")
    root = home / ".ollama" / "models" / "manifests" / "registry.ollama.ai" / "library" / "a"
    root.mkdir(parents=True)
    (root / "latest").symlink_to(root / "latest")
    assert (locate("org/m"), locate("a")) == (None, None)
