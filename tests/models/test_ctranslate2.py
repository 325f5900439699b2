"""CTranslate2's `model.bin`, written as its `ModelSpec._serialize` does."""

import struct
from pathlib import Path

import pytest
from llmtop.probes.models import BadModelFile, facts
from llmtop.probes.sample import ModelFacts

SIZES = {0: 4, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2}
F32, INT8, INT16, INT32, F16 = range(5)
Tensor = tuple[str, tuple[int, ...], int]
HIDDEN, HEADS, KV_HEADS, WIDTH, VOCABULARY, LAYERS = 64, 4, 2, 16, 100, 3


def text(words: str) -> bytes:
    return struct.pack("<H", len(words) + 1) + words.encode() + b"\0"


def tensor(name: str, shape: tuple[int, ...], kind: int) -> bytes:
    count = 1
    for dimension in shape:
        count *= dimension
    data = bytes(count * SIZES[kind]) if shape else (7).to_bytes(SIZES[kind], "little")
    return text(name) + struct.pack(f"<B{len(shape)}IBI", len(shape), *shape, kind, len(data)) + data


def decoder(kind: int = INT8) -> list[Tensor]:
    found: list[Tensor] = [("decoder/embeddings/weight", (VOCABULARY, HIDDEN), kind), ("decoder/num_heads", (), INT16)]
    for layer in range(LAYERS):
        place = f"decoder/layer_{layer}"
        found += [
            (f"{place}/self_attention/linear_0/weight", ((HEADS + 2 * KV_HEADS) * WIDTH, HIDDEN), kind),
            (f"{place}/self_attention/linear_1/weight", (HIDDEN, HEADS * WIDTH), kind),
            (f"{place}/ffn/linear_0/weight", (2 * HIDDEN, HIDDEN), kind),
            (f"{place}/ffn/linear_0/weight_scale", (2 * HIDDEN,), F32),
        ]
    return [
        *found,
        ("decoder/layer_norm/gamma", (HIDDEN,), F32),
        ("decoder/projection/weight", (VOCABULARY, HIDDEN), kind),
    ]


def body(tensors: list[Tensor], aliases: dict[str, str] | None = None, kind: str = "TransformerDecoderSpec") -> bytes:
    head = struct.pack("<I", 6) + text(kind) + struct.pack("<II", 8, len(tensors))
    names = aliases or {}
    tail = struct.pack("<I", len(names)) + b"".join(text(alias) + text(name) for alias, name in names.items())
    return head + b"".join(tensor(*each) for each in tensors) + tail


def read(folder: Path, data: bytes) -> ModelFacts:
    (folder / "model.bin").write_bytes(data)
    (folder / "config.json").write_text('{"bos_token": "<s>"}')
    found = facts(str(folder))
    assert found is not None
    return found


def test_the_facts_of_a_decoder(tmp_path: Path) -> None:
    found = read(tmp_path, body(decoder()))
    matrices = 2 * VOCABULARY * HIDDEN + LAYERS * (8 * WIDTH * HIDDEN + HIDDEN * HEADS * WIDTH + 2 * HIDDEN * HIDDEN)
    assert found.parameters == matrices + HIDDEN
    assert found.weight_bytes == matrices + 4 * HIDDEN + LAYERS * 4 * 2 * HIDDEN + 2
    assert (found.quantization, found.layers, found.hidden_size) == ("INT8", LAYERS, HIDDEN)
    assert (found.embedding_bytes, found.tied_embeddings) == (VOCABULARY * HIDDEN, False)
    assert found.kv_elements == LAYERS * 2 * KV_HEADS * WIDTH
    assert found.attention_width == LAYERS * HEADS * WIDTH
    assert found.head_parameters == VOCABULARY * HIDDEN


def test_a_head_that_is_the_embedding(tmp_path: Path) -> None:
    tensors = [each for each in decoder(F16) if not each[0].startswith("decoder/projection")]
    found = read(tmp_path, body(tensors, {"decoder/projection/weight": "decoder/embeddings/weight"}))
    assert (found.tied_embeddings, found.quantization) == (True, "F16")
    assert found.head_parameters == VOCABULARY * HIDDEN


def test_a_sliding_window(tmp_path: Path) -> None:
    found = read(tmp_path, body([*decoder(), ("decoder/sliding_window", (), INT32)]))
    assert (found.kv_window, found.kv_elements) == (7, 0)
    assert found.kv_window_elements == LAYERS * 2 * KV_HEADS * WIDTH


def test_other_kinds_and_older_versions_have_a_size_alone(tmp_path: Path) -> None:
    whisper = body([*decoder(), ("encoder/layer_0/x/weight", (4, 4), F16)], kind="WhisperSpec")
    found = read(tmp_path, whisper)
    assert (found.weight_bytes, found.architecture, found.parameters) == (len(whisper), "WhisperSpec", None)
    old = struct.pack("<I", 5) + body(decoder())[4:]
    found = read(tmp_path, old)
    assert (found.source, found.kv_elements) == ("CTranslate2 model.bin: its size alone", None)


@pytest.mark.parametrize("cut", [40, 60, 300, 5000, -3])
def test_a_file_that_is_cut_off(tmp_path: Path, cut: int) -> None:
    with pytest.raises(BadModelFile, match="cut off or broken"):
        read(tmp_path, body(decoder())[:cut])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            struct.pack("<I", 6) + text("TransformerDecoderSpec") + struct.pack("<II", 8, 0xFFFFFFFF),
            "4294967295 tensors",
        ),
        (
            struct.pack("<I", 6) + text("TransformerDecoderSpec") + struct.pack("<II", 8, 1) + text("a") + b"\xff" * 8,
            "a tensor of 255 dimensions",
        ),
        (
            struct.pack("<I", 6)
            + text("TransformerDecoderSpec")
            + struct.pack("<II", 8, 1)
            + text("a")
            + struct.pack("<BIIBI", 2, 1 << 31, 1 << 31, F32, 4)
            + bytes(4),
            "do not match its shape",
        ),
    ],
)
def test_a_file_that_lies(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(BadModelFile, match=why):
        read(tmp_path, data)
