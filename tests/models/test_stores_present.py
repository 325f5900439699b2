"""The listing of what is on this machine: stores laid out as the programs lay them out, and what goes wrong in them."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from llmtop.probes.models import facts, locate
from llmtop.probes.models.stores.present import present
from llmtop.probes.models.stores.stored import Stored
from llmtop.probes.models.stores.typed import tags

from .build import build
from .folders import folder
from .published import llama_3_1
from .test_stores import gguf, manifest, snapshot

OLLAMA = "registry.ollama.ai"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own and an empty working directory, and none of the variables that name other places."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "OLLAMA_MODELS", "LLAMA_CACHE"):
        monkeypatch.delenv(name, raising=False)
    place = tmp_path / "home"
    (place / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.chdir(place / "work")
    return place


def hub(home: Path) -> Path:
    return home / ".cache" / "huggingface" / "hub"


def tensors(place: Path, shards: int = 1, size: int = 64) -> Path:
    return folder(place, llama_3_1(), {f"w{index}": ("BF16", (size,)) for index in range(shards)}, shards)


def blob(root: Path, digit: str = "a") -> Path:
    return gguf(root / "blobs" / f"sha256-{digit * 64}")


def listed() -> dict[str, Stored]:
    found = present()
    names = {stored.name: stored for stored in found}
    assert len(names) == len(found)
    for stored in found:
        assert stored.size_bytes > 0
        meant = locate(stored.name)
        assert meant is not None
        assert meant.samefile(stored.path)
    return names


def test_nothing_is_there() -> None:
    assert present() == []


def test_each_store_lists_its_models_by_the_name_that_finds_them(home: Path) -> None:
    tensors(snapshot(hub(home), "Qwen/Qwen3-8B"))
    gguf(home / ".lmstudio" / "models" / "lmstudio-community" / "Gemma-GGUF" / "Gemma-Q4_K_M.gguf")
    manifest(home / ".ollama" / "models", OLLAMA, "library", "llama3", "8b", digest="sha256:" + "a" * 64)
    blob(home / ".ollama" / "models")
    gguf(home / "models" / "mine.gguf")
    gguf(home / "work" / "here.gguf")
    gguf(home / ".cache" / "llama.cpp" / "org_m-GGUF_m-Q8_0.gguf")
    found = listed()
    assert {name: stored.store for name, stored in found.items()} == {
        "Qwen/Qwen3-8B": "Hugging Face",
        "lmstudio-community/Gemma-GGUF/Gemma-Q4_K_M.gguf": "LM Studio",
        "llama3:8b": "Ollama",
        "~/models/mine.gguf": "folder",
        "./here.gguf": "folder",
        "~/.cache/llama.cpp/org_m-GGUF_m-Q8_0.gguf": "llama.cpp",
    }
    for stored in found.values():
        told = facts(str(stored.path))
        assert told is not None
    assert found["llama3:8b"].size_bytes == found["llama3:8b"].path.stat().st_size


@pytest.mark.parametrize("variable", ["HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"])
def test_the_cache_of_hugging_face_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, str(home / "x"))
    under = {"HF_HUB_CACHE": "", "HF_HOME": "hub", "XDG_CACHE_HOME": "huggingface/hub"}[variable]
    tensors(snapshot(home / "x" / under, "org/m"))
    tensors(snapshot(hub(home), "org/other"))
    assert set(listed()) == {"org/m", "org/other"}


def test_of_two_caches_the_first_has_the_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(home / "x"))
    (snapshot(home / "x", "org/m") / "config.json").write_text("{}")  # nothing else has come yet
    second = tensors(snapshot(hub(home), "org/m"))
    gguf(snapshot(home / "x", "org/g") / "g-Q4_0.gguf")
    gguf(snapshot(hub(home), "org/g") / "g-Q4_0.gguf")
    found = listed()
    assert len(found) == 3
    assert found["org/g"].path.is_relative_to(home / "x")
    assert found[f"~/{second.relative_to(home)}"].path == second


def test_quantisations_of_a_repository_are_models_of_their_own(home: Path) -> None:
    place = snapshot(hub(home), "org/m-GGUF")
    for name in (
        "m-Q8_0",
        "m-Q4_K_M",
        "m-Q4_K_L",
        "m-UD-Q4_K_XL",
        "m-IQ2_XS",
        "mmproj-F16",
        "m-mmproj-BF16",
        "m-imatrix",
    ):
        gguf(place / f"{name}.gguf")
    (place / "config.json").write_text("{}")
    shards = [gguf(place / "BF16" / f"m-BF16-{index:05}-of-00002.gguf") for index in (1, 2)]
    found = listed()
    assert {name: stored.path.name for name, stored in found.items()} == {
        "org/m-GGUF:Q8_0": "m-Q8_0.gguf",
        "org/m-GGUF:Q4_K_M": "m-Q4_K_M.gguf",
        "org/m-GGUF:Q4_K_L": "m-Q4_K_L.gguf",
        "org/m-GGUF:UD-Q4_K_XL": "m-UD-Q4_K_XL.gguf",
        "org/m-GGUF:IQ2_XS": "m-IQ2_XS.gguf",
        "org/m-GGUF:BF16": "m-BF16-00001-of-00002.gguf",
    }
    assert found["org/m-GGUF:BF16"].size_bytes == sum(shard.stat().st_size for shard in shards)


def test_a_repository_of_one_file_needs_no_colon(home: Path) -> None:
    gguf(snapshot(hub(home), "org/m-GGUF") / "m-Q6_K.gguf")
    assert set(listed()) == {"org/m-GGUF"}


def test_files_that_share_a_quantisation_are_told_apart(home: Path) -> None:
    place = snapshot(hub(home), "org/two-GGUF")
    for name in ("small-Q4_K_M.gguf", "large-Q4_K_M.gguf", "large-Q4_K_M.v2.gguf"):
        gguf(place / name)
    found = listed()
    assert {stored.path.name for stored in found.values()} == {path.name for path in place.iterdir()}
    assert found["org/two-GGUF:Q4_K_M"].path.name == "large-Q4_K_M.gguf"  # as `locate` reads it
    assert found["org/two-GGUF:small-Q4_K_M"].path.name == "small-Q4_K_M.gguf"


def test_revisions_of_a_model_count_once(home: Path) -> None:
    old, new = (tensors(snapshot(hub(home), "org/m", name)) for name in ("aaaa", "bbbb"))
    os.utime(old, (1, 1))
    (hub(home) / "models--org--m" / "refs").mkdir()
    (hub(home) / "models--org--m" / "refs" / "main").write_text("aaaa")
    gguf(snapshot(hub(home), "org/g", "cccc") / "g-Q4_0.gguf")
    gguf(snapshot(hub(home), "org/g", "dddd") / "g-Q8_0.gguf")
    found = listed()
    assert set(found) == {"org/m", "org/g:Q4_0", "org/g:Q8_0"}
    assert found["org/m"].path == old != new


def test_weights_are_counted_through_links_and_once(home: Path) -> None:
    place, blobs = snapshot(hub(home), "org/m"), hub(home) / "models--org--m" / "blobs"
    real = tensors(blobs / "real", shards=3, size=1000)
    for path in real.iterdir():
        (place / path.name).symlink_to(os.path.relpath(path, place))
    (place / "consolidated.safetensors").write_bytes(b"x" * 9_999)
    (place / "adapter_model.safetensors").write_bytes(b"x" * 9_999)
    tuned = folder(home / "models" / "tuned", llama_3_1())
    (tuned / "weights.safetensors").write_bytes(b"x" * 100)
    (tuned / "adapter_model.safetensors").write_bytes(b"x" * 9_999)
    found = listed()
    assert found["org/m"].size_bytes == sum(path.stat().st_size for path in real.glob("*.safetensors"))
    assert found["~/models/tuned"].size_bytes == 100


def test_what_is_not_all_there_is_no_model(home: Path) -> None:
    tensors(snapshot(hub(home), "org/sharded"), shards=3)
    next(hub(home).glob("*sharded/snapshots/*/model-00002-*")).unlink()
    (snapshot(hub(home), "org/underway") / "config.json").write_text("{}")
    (hub(home) / "models--org--underway" / "blobs").mkdir()
    (hub(home) / "models--org--underway" / "blobs" / "0a.incomplete").write_bytes(b"GGUF")
    dangling = snapshot(hub(home), "org/dangling") / "m-Q4_0.gguf"
    dangling.symlink_to("../../blobs/gone")
    models = home / "models"
    gguf(models / "half-00001-of-00002.gguf")
    (models / "empty.gguf").touch()
    for name in ("a.gguf.part", "b.gguf.downloadInProgress", "c.gguf.incomplete"):
        (models / name).write_bytes(b"GGUF")
    gguf(models / "d.gguf")
    (models / "d.gguf.aria2").touch()
    (models / "._e.gguf").write_bytes(b"x" * 4096)  # what macOS leaves on foreign disks
    assert present() == []


def test_what_only_goes_with_a_model_is_none(home: Path) -> None:
    models = home / "models"
    for name in (
        "mmproj-model-f16",
        "x-lora-f16",
        "my-adapter",
        "ggml-vocab-llama-bpe",
        "Qwen3-DRAFT-0.6B-Q4_0",
        "mtp-x",
    ):
        gguf(models / f"{name}.gguf")
    place = models / "lora"
    place.mkdir()
    (place / "adapter_config.json").write_text("{}")
    (place / "adapter_model.safetensors").write_bytes(b"x")
    (snapshot(hub(home), "org/tokenizer") / "tokenizer.json").write_text("{}")
    tensors(snapshot(hub(home), "yuhuili/EAGLE3-LLaMA3.1-Instruct-8B"))
    assert present() == []
    tensors(snapshot(hub(home), "nvidia/Eagle2-9B"))
    gguf(models / "Qwen3.6-27B-MTP-Q4_K_M.gguf")
    assert set(listed()) == {"nvidia/Eagle2-9B", "~/models/Qwen3.6-27B-MTP-Q4_K_M.gguf"}


def test_ollama_names_are_those_that_it_takes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = home / "big"
    monkeypatch.setenv("OLLAMA_MODELS", str(root))
    for digit, words in enumerate(
        [
            (OLLAMA, "library", "llama3", "latest"),
            (OLLAMA, "library", "qwen3", "8b-q4_K_M"),
            (OLLAMA, "someone", "model", "tag"),
            ("hf.co", "bartowski", "Llama-GGUF", "Q4_K_M"),
        ]
    ):
        manifest(root, *words, digest=f"sha256:{str(digit) * 64}")
        blob(root, str(digit))
    (root / "manifests" / ".DS_Store").touch()
    names = {"llama3", "qwen3:8b-q4_K_M", "someone/model:tag", "hf.co/bartowski/Llama-GGUF:Q4_K_M"}
    assert set(listed()) == names


def test_of_two_folders_of_ollama_the_first_has_the_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = home / "big", home / ".ollama" / "models"
    monkeypatch.setenv("OLLAMA_MODELS", str(first))
    for root, digit in ((first, "a"), (second, "b")):
        manifest(root, OLLAMA, "library", "m", "latest", digest=f"sha256:{digit * 64}")
        blob(root, digit)
    assert set(listed()) == {"m", f"~/.ollama/models/blobs/sha256-{'b' * 64}"}
    (first / "blobs" / f"sha256-{'a' * 64}").unlink()  # its manifest still stands before the other
    assert set(listed()) == {f"~/.ollama/models/blobs/sha256-{'b' * 64}"}


def test_broken_manifests_cost_only_themselves(home: Path) -> None:
    root = home / ".ollama" / "models"
    blob(root)
    manifest(root, OLLAMA, "library", "good", "latest", digest="sha256:" + "a" * 64)
    manifest(root, OLLAMA, "library", "blobless", "latest", digest="sha256:" + "b" * 64)
    manifest(root, OLLAMA, "library", "cloud", "120b-cloud", media="application/vnd.ollama.image.system")
    manifest(root, OLLAMA, "library", "outside", "latest", digest="sha256:../../etc/passwd")
    manifest(root, OLLAMA, "library", "broken", "latest").write_bytes(b"[" * 10_000)
    manifest(root, OLLAMA, "library", "huge", "latest").write_bytes(b" " * (2 << 20))
    broken = manifest(root, OLLAMA, "library", "circle", "latest")
    broken.unlink()
    broken.symlink_to(broken)
    (root / "manifests" / "stray").write_text("{}")
    assert set(listed()) == {"good"}


def test_lm_studio(home: Path) -> None:
    models = home / ".lmstudio" / "models"
    gguf(models / "pub" / "Some-GGUF" / "Some-Q4_K_M.gguf")
    gguf(models / "pub" / "Some-GGUF" / "mmproj-Some-f16.gguf")
    tensors(models / "mlx-community" / "Some-4bit")
    (models / "pub" / "downloading_x.part").write_bytes(b"x")
    gguf(home / ".cache" / "lm-studio" / "models" / "pub" / "Old-GGUF" / "Old-Q8_0.gguf")
    assert set(listed()) == {
        "mlx-community/Some-4bit",
        "pub/Old-GGUF/Old-Q8_0.gguf",
        "pub/Some-GGUF/Some-Q4_K_M.gguf",
    }


def test_lm_studio_elsewhere(home: Path) -> None:
    (home / ".lmstudio-home-pointer").write_text(f"{home / 'lm'}\n")
    (home / "lm").mkdir()
    (home / "lm" / "settings.json").write_text(f'{{"downloadsFolder": "{home / "disk"}", "language": "en"}}')
    gguf(home / "disk" / "pub" / "A-GGUF" / "A-Q4_0.gguf")
    gguf(home / "lm" / "models" / "pub" / "B-GGUF" / "B-Q4_0.gguf")
    assert set(listed()) == {"pub/A-GGUF/A-Q4_0.gguf", "pub/B-GGUF/B-Q4_0.gguf"}


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "null", '{"downloadsFolder": 1}', '{"downloadsFolder": "../x"}', "[" * 9999]
)
def test_settings_that_say_nothing_leave_the_usual_folder(home: Path, text: str) -> None:
    gguf(home / ".lmstudio" / "models" / "pub" / "A-GGUF" / "A-Q4_0.gguf")
    (home / ".lmstudio" / "settings.json").write_text(text)
    (home / ".lmstudio-home-pointer").write_bytes(b"\xff\0")
    assert set(listed()) == {"pub/A-GGUF/A-Q4_0.gguf"}


def test_llama_cpp_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_CACHE", str(home / "cache"))
    gguf(home / "cache" / "a.gguf")
    assert listed()["~/cache/a.gguf"].store == "llama.cpp"


def test_folders_of_models(home: Path) -> None:
    gguf(home / "work" / "a b.gguf")
    gguf(home / "work" / "deep" / "c.gguf")  # not looked into
    gguf(home / "work" / "models" / "sub" / "d.gguf")
    tensors(home / "models" / "Qwen3-8B")
    shards = [gguf(home / "models" / "big" / "Q8_0" / f"e-{index:05}-of-00003.gguf") for index in (1, 2, 3)]
    gguf(home / "models" / "1" / "2" / "3" / "f.gguf")
    found = listed()
    assert set(found) == {
        "./a b.gguf",
        "./models/sub/d.gguf",
        "~/models/Qwen3-8B",
        "~/models/big/Q8_0/e-00001-of-00003.gguf",
    }
    assert found["~/models/big/Q8_0/e-00001-of-00003.gguf"].size_bytes == 3 * shards[0].stat().st_size


def test_a_folder_of_mlc(home: Path) -> None:
    place = home / "models" / "Some-q4f16_1-MLC"
    place.mkdir(parents=True)
    for name in ("mlc-chat-config.json", "tensor-cache.json"):
        (place / name).write_text("{}")
    for index in (0, 1):
        (place / f"params_shard_{index}.bin").write_bytes(b"x" * 100)
    assert listed()["~/models/Some-q4f16_1-MLC"].size_bytes == 200


def test_one_file_by_two_ways_is_one_model(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = gguf(home / "models" / "a-Q4_0.gguf")
    linked = home / ".lmstudio" / "models" / "pub" / "A-GGUF" / "a-Q4_0.gguf"
    linked.parent.mkdir(parents=True)
    linked.symlink_to(real)
    (home / "work" / "a.gguf").hardlink_to(real)
    monkeypatch.setenv("OLLAMA_MODELS", str(home / ".ollama" / "models"))
    assert set(listed()) == {"pub/A-GGUF/a-Q4_0.gguf"}


def test_one_name_for_two_models_belongs_to_the_one_that_it_finds(home: Path) -> None:
    cached = tensors(snapshot(hub(home), "org/m"))
    studio = tensors(home / ".lmstudio" / "models" / "org" / "m")
    found = listed()
    assert found["org/m"].path == cached
    assert found["~/.lmstudio/models/org/m"].path == studio


def test_names_that_no_store_takes_become_paths(home: Path) -> None:
    models = home / ".lmstudio" / "models" / "pub" / "A GGUF"
    gguf(models / "a+b Q4_0.gguf")
    gguf(models / "line\nbreak.gguf")
    assert set(listed()) == {"~/.lmstudio/models/pub/A GGUF/a+b Q4_0.gguf"}


def test_links_in_a_circle_and_what_is_no_file(home: Path) -> None:
    models = home / "models"
    models.mkdir()
    (models / "loop").symlink_to(models)
    (models / "self.gguf").symlink_to(models / "self.gguf")
    os.mkfifo(models / "pipe.gguf")
    (models / "folder.gguf").mkdir()
    gguf(models / "a.gguf")
    (hub(home) / "models--org--m" / "snapshots").mkdir(parents=True)
    os.mkfifo(hub(home) / "models--org--m" / "refs")
    assert set(listed()) == {"~/models/a.gguf"}


def test_a_folder_on_another_disk_is_followed(home: Path, tmp_path: Path) -> None:
    gguf(tmp_path / "disk" / "sub" / "a.gguf")
    (home / "models").symlink_to(tmp_path / "disk")
    assert set(listed()) == {"~/models/sub/a.gguf"}


def test_a_working_directory_that_is_gone(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    tensors(snapshot(tmp_path / "hub", "org/m"))
    (home / "work").rmdir()
    assert {stored.name for stored in present()} == {"org/m"}


def test_a_store_that_hangs_delays_the_others_by_the_patience_alone(tmp_path: Path) -> None:
    one, two = (gguf(tmp_path / f"{name}.gguf") for name in "ab")

    def hangs() -> Iterator[Stored]:
        yield Stored(name="org/one", path=one, store="share", size_bytes=1)
        time.sleep(5)
        yield Stored(name="org/never", path=two, store="share", size_bytes=1)

    def answers() -> Iterator[Stored]:
        yield Stored(name="org/two", path=two, store="disk", size_bytes=1)

    def fails() -> Iterator[Stored]:
        yield Stored(name="org/gone", path=tmp_path / "gone", store="disk", size_bytes=1)
        raise OSError(5, "Input/output error")

    start = time.monotonic()
    found = present(0.3, (hangs, fails, answers))
    assert time.monotonic() - start < 2.0
    assert [stored.name for stored in found] == ["org/one", "org/two"]


def test_a_large_collection_is_listed_at_once(home: Path) -> None:
    for index in range(60):
        gguf(snapshot(hub(home), f"org/m{index}-GGUF") / f"m{index}-Q4_K_M.gguf")
        manifest(home / ".ollama" / "models", OLLAMA, "library", f"o{index}", "latest", digest=f"sha256:{index:064}")
        gguf(home / ".ollama" / "models" / "blobs" / f"sha256-{index:064}")
        gguf(home / "models" / f"f{index}" / "f.gguf")
    present()
    start = time.process_time()
    assert len(present()) == 180
    assert time.process_time() - start < 0.5


def test_a_walk_has_an_end(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for first in range(30):
        for second in range(30):
            (home / "models" / str(first) / str(second)).mkdir(parents=True)
    opened: list[str] = []
    scandir = os.scandir

    def counted(path: str | Path) -> object:
        opened.append(str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", counted)
    assert present() == []
    assert 0 < sum(path.startswith(str(home / "models")) for path in opened) <= 500


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Qwen3-8B-Q4_K_M.gguf", "Q4_K_M"),
        ("Qwen3.6-35B-A3B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("gpt-oss-20b-MXFP4.gguf", "MXFP4"),
        ("m-IQ3_XXS.gguf", "IQ3_XXS"),
        ("m.Q8_0.gguf", "Q8_0"),
        ("m-BF16-00001-of-00002.gguf", "BF16"),
        ("model.gguf", "model"),
    ],
)
def test_the_word_behind_the_colon(name: str, first: str) -> None:
    assert next(tags(name)) == first


def test_a_model_file_can_be_told_from_the_listing(home: Path) -> None:
    build(home / "work" / "m.gguf", {"general.architecture": "llama", "general.name": "m"}, {"output.weight": (32, 8)})
    told = facts(str(listed()["./m.gguf"].path))
    assert told is not None and told.name == "m"
