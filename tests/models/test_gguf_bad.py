"""Whatever a file holds, reading it ends soon, with facts or with one clear line."""

import errno
import struct
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llmtop.probes.models import BadModelFile, facts

from .build import Item, blocks, build, header

KEYS: dict[str, Item] = {
    "general.architecture": "gemma3",
    "general.name": "m",
    "gemma3.block_count": 2,
    "gemma3.attention.head_count": 4,
    "gemma3.attention.head_count_kv": [2, 1],
    "gemma3.attention.sliding_window": 512,
    "gemma3.attention.sliding_window_pattern": [True, False],
    "gemma3.rope.scale": 1.5,
    "tokenizer.ggml.tokens": ["a", "bc", "def"],
}
FRONT, WEIGHTS = header(KEYS, {"token_embd.weight": (32, 8), **blocks(2, "attn_k", "attn_q")})
HUGE = 1 << 60


def refuse(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(BadModelFile) as caught:
        facts(str(path))
    assert "\n" not in str(caught.value)
    return caught.value.why


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the file is empty"),
        (b"GG", "no GGUF file"),
        (b"<html>not found</html>", "no GGUF file"),
        (b"GGUF", "the file ends in the middle of its header"),
        (b"GGUF" + struct.pack("<I", 1) + bytes(16), "GGUF version 1"),
        (b"GGUF" + struct.pack(">I", 3) + bytes(16), "a big-endian GGUF file"),
        (b"GGUF" + struct.pack("<IQQ", 3, HUGE, 0), f"a header that claims {HUGE} tensors"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, HUGE), "a header that claims 0 tensors and"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "no tensors in it"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 1, 1, 10 << 30), "the file ends in the middle of its header"),
        (b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 1, 1, 1, b"k", 9, 8, HUGE), f"an array of {HUGE} texts"),
        (b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 1, 1, 1, b"k", 9, 8, 9), "the file ends in the middle of its header"),
        (b"GGUF" + struct.pack("<IQQQ1sIIQQ", 3, 1, 1, 1, b"k", 9, 8, 1, HUGE * 15), "the file ends in the middle"),
        (
            b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 1, 1, 1, b"k", 9, 4, HUGE),
            "the file ends in the middle of its header",
        ),
        (b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 1, 1, 1, b"k", 9, 9, 1), "an array of type 9"),
        (b"GGUF" + struct.pack("<IQQQ1sI", 3, 1, 1, 1, b"k", 99), "a value of type 99"),
        (b"GGUF" + struct.pack("<IQQQ1sI", 3, 1, 0, 1, b"t", 9), "a tensor of 9 dimensions"),
        (b"GGUF" + struct.pack("<IQQQ1sIQQIQ", 3, 1, 0, 1, b"t", 2, HUGE, HUGE, 0, 0), "tensor 't' claims"),
        (b"GGUF" + struct.pack("<IQQQ1sIQIQ", 3, 1, 0, 1, b"t", 1, 7, 2, 0), "7 weights are no whole blocks of Q4_0"),
        (
            b"GGUF" + struct.pack("<IQQQ1sIQQIQ", 3, 1, 0, 1, b"t", 2, 0, 0, 0, 0) + bytes(64),
            "tensor 't' has a dimension of 0",
        ),
        (
            b"GGUF" + struct.pack("<IQQQ1sIQIQ", 3, 1, 0, 1, b"t", 1, 8, 99, 0) + bytes(7),
            "no weights in it: all its tensors are empty",
        ),
        (FRONT + bytes(WEIGHTS - 9), "9 bytes are missing"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, data: bytes, why: str) -> None:
    assert why in refuse(tmp_path / "m.gguf", data)


def test_an_endless_hole_of_texts_ends(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 1, 1, 1, b"k", 9, 4, 1 << 30))
        file.truncate(10 << 30)
    start = time.perf_counter()
    with pytest.raises(BadModelFile, match="a header of more than"):
        facts(str(path))
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("kind", [0, 7], ids=["bytes", "flags"])
def test_a_header_full_of_arrays_takes_bounded_memory(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "m.gguf"
    rows = 20_000
    array = struct.pack("<IIQ", 9, kind, 4096) + bytes(4096)
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 1, rows))
        for row in range(rows):
            file.write(struct.pack("<Q8s", 8, f"{row:08}".encode()) + array)
    tracemalloc.start()
    try:
        with pytest.raises(BadModelFile, match="a header of more than 262144 values"):
            facts(str(path))
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("value", [(8,), (9, 0), (9, 8, 1)], ids=["text", "array of bytes", "array of texts"])
def test_a_long_value_is_passed_unread(tmp_path: Path, value: tuple[int, ...]) -> None:
    """100 MiB of one value, as a hole in the file."""
    keys, long = {"general.architecture": "llama"}, 100 << 20
    front, _ = header(keys, {})
    whole, size = header(keys, {"token_embd.weight": (32, 8)})
    kind = struct.pack("<I", value[0]) + b"".join(
        struct.pack("<I" if at == 0 else "<Q", x) for at, x in enumerate(value[1:])
    )
    key = struct.pack("<Q1s", 1, b"k") + kind + struct.pack("<Q", long)
    after_keys = 24 + len(front[24:].rstrip(b"\0"))
    path = tmp_path / "m.gguf"
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 1, 2) + whole[24:after_keys] + key)
        file.seek(long, 1)
        file.write(whole[after_keys:].rstrip(b"\0") + bytes(64))
        file.truncate(file.tell() + size + 64)
    tracemalloc.start()
    try:
        found = facts(str(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found is not None and found.architecture == "llama"
    assert peak < 4 << 20


def test_shards_of_too_many_tensors_are_refused(tmp_path: Path) -> None:
    tensors: dict[str, tuple[int, ...]] = {f"{index:x}": (1,) for index in range(50_000)}
    first = build(tmp_path / "m-00001-of-00900.gguf", {"general.architecture": "llama"}, tensors)
    for number in range(2, 901):
        (tmp_path / f"m-{number:05}-of-00900.gguf").hardlink_to(first)
    tracemalloc.start()
    try:
        with pytest.raises(BadModelFile, match=r"m-00003-of-00900.*headers without end in its shards: 150000 tensors"):
            facts(str(first))
        assert tracemalloc.get_traced_memory()[1] < 128 << 20
    finally:
        tracemalloc.stop()


def test_a_crowded_table_takes_bounded_memory(tmp_path: Path) -> None:
    tensors: dict[str, tuple[int, ...]] = {f"blk.{index}.{'x' * 200}": (32,) for index in range(50_000)}
    path = build(tmp_path / "m.gguf", {"general.architecture": "llama"}, tensors)
    tracemalloc.start()
    try:
        found = facts(str(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found is not None and found.weight_bytes == 50_000 * 64
    assert peak < 96 << 20


def test_what_cannot_be_opened_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = build(tmp_path / "m.gguf", KEYS, {})

    def refuse_it(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse_it)
    with pytest.raises(BadModelFile, match="Permission denied"):
        facts(str(path))


@settings(max_examples=400, deadline=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_mutation_raises_anything_else(tmp_path: Path, data: st.DataObject) -> None:
    front = bytearray(FRONT)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(front) - 1))
        piece = data.draw(st.one_of(st.binary(min_size=1, max_size=9), st.just(b"\xff" * 8), st.just(bytes(8))))
        front[place : place + len(piece)] = piece
    path = tmp_path / "m.gguf"
    path.write_bytes(bytes(front) + bytes(data.draw(st.sampled_from([0, WEIGHTS]))))
    try:
        found = facts(str(path))
    except BadModelFile as error:
        assert "\n" not in error.why  # noqa: PT017 # either outcome is right
    else:
        assert found is not None
        assert (found.weight_bytes or 0) >= (found.expert_bytes + found.unused_bytes)


@settings(max_examples=200, deadline=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(end=st.integers(0, len(FRONT) - 1))
def test_no_truncation_raises_anything_else(tmp_path: Path, end: int) -> None:
    refuse(tmp_path / "m.gguf", FRONT[:end])
