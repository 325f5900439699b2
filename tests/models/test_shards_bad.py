"""Folders whose weights are no files, or far too many: one clear line, in bounded memory."""

import os
import struct
from pathlib import Path

import pytest
from llmtop.probes.models import BadModelFile, facts

from .folders import folder, weights
from .limits import MIB, within
from .published import llama_3_1

CONFIG = llama_3_1()
TABLE = {"model.embed_tokens.weight": ("BF16", (8, 4)), "lm_head.weight": ("BF16", (8, 4))}


@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
def test_what_is_no_regular_file_is_not_opened(tmp_path: Path, kind: str) -> None:
    """Opening a pipe would wait for ever for somebody who writes into it."""
    place = folder(tmp_path / "m", CONFIG)
    odd = place / "model.safetensors"
    if kind == "pipe":
        os.mkfifo(odd)
    elif kind == "folder":
        odd.mkdir()
    else:
        odd.symlink_to("/dev/zero")
    with pytest.raises(BadModelFile, match=r"model\.safetensors: no regular file"):
        facts(str(place))
    weights(place / "other.safetensors", TABLE)
    found = facts(str(place))
    assert found is not None and found.parameters == 64


def test_a_shard_that_is_no_regular_file_is_missing(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", CONFIG, TABLE, shards=2)
    (place / "model-00002-of-00002.safetensors").unlink()
    os.mkfifo(place / "model-00002-of-00002.safetensors")
    found = facts(str(place))
    assert found is not None and (found.missing_shards, found.shards) == (1, 2)


def test_shards_with_headers_without_end_are_refused(tmp_path: Path) -> None:
    """Each header has 30 MiB of blanks: seven have together more than any model."""
    place = folder(tmp_path / "m", CONFIG)
    for number in range(1, 21):
        with (place / f"model-{number:05}-of-00020.safetensors").open("wb") as file:
            file.write(struct.pack("<Q", 30 * MIB) + b"{}" + b" " * (30 * MIB - 2))
    with within(100, 20), pytest.raises(BadModelFile, match=r"model-00007-of-00020.*headers without end"):
        facts(str(place))


def test_shards_with_tensors_without_end_are_refused(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", CONFIG)
    text = b"{" + b",".join(b'"%d":{}' % index for index in range(200_000)) + b"}"
    first = place / "model-00001-of-01000.safetensors"
    first.write_bytes(struct.pack("<Q", len(text)) + text)
    for number in range(2, 1001):
        (place / f"model-{number:05}-of-01000.safetensors").hardlink_to(first)
    with within(100, 20), pytest.raises(BadModelFile, match=r"model-00006-of-01000.*headers without end"):
        facts(str(place))


def test_a_header_of_more_tensors_than_any_model_takes_bounded_memory(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", CONFIG)
    text = b"{" + b",".join(b'"%d":{}' % index for index in range(1_000_000)) + b"}"
    (place / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)
    del text
    with within(32, 5), pytest.raises(BadModelFile, match="a header of more than 524288 tensors"):
        facts(str(place))
