"""Whatever a folder holds, reading it ends soon, in little memory, with facts or with one clear line."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llmtop.probes.models import BadModelFile, facts

from .folders import folder, header
from .limits import MIB, within
from .published import MODELS, llama_3_1

CONFIG = llama_3_1()
TABLE = {"model.embed_tokens.weight": ("BF16", (8, 4)), "lm_head.weight": ("BF16", (8, 4))}
FRONT, WEIGHTS = header(TABLE)
HUGE = 1 << 63


def refuse(place: Path, config: bytes | None = None, weights: bytes | None = None) -> str:
    folder(place, CONFIG)
    if config is not None:
        (place / "config.json").write_bytes(config)
    if weights is not None:
        (place / "model.safetensors").write_bytes(weights)
    with pytest.raises(BadModelFile) as caught:
        facts(str(place))
    assert "\n" not in str(caught.value)
    assert len(caught.value.why) < 300
    return caught.value.why


def table(text: bytes | str) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data + bytes(64)


def entry(dtype: str = "U8", shape: str = "[8]", offsets: str = "[0, 8]") -> bytes:
    return table(f'{{"t": {{"dtype": "{dtype}", "shape": {shape}, "data_offsets": {offsets}}}}}')


@pytest.mark.parametrize(
    ("weights", "why"),
    [
        (b"", "no safetensors file"),
        (b"short", "no safetensors file"),
        (struct.pack("<Q", HUGE) + bytes(100), f"a header of {HUGE} bytes in a file of 108"),
        (struct.pack("<Q", 101) + bytes(100), "a header of 101 bytes"),
        (table(b"\xff\xfe{}"), "its header is no table of tensors"),
        (table(b'{"\xff": {}}'), "its header is no table of tensors"),
        (table("[]"), "its header is no table of tensors"),
        (table('{"t": 1}'), "its header is no table of tensors"),
        (table('{"t":' * 10_000), "its header is nested too deep"),
        (table('{"t": {"u": ' + "[" * 10_000), "its header is nested too deep"),
        (entry(shape="[-8]"), "has the shape (-8,)"),
        (entry(shape=f"[{HUGE // 4}, {HUGE // 4}]"), "claims"),
        (entry(shape='["8"]'), "its header is no table of tensors"),
        (entry(shape="[1e300]"), "its header is no table of tensors"),
        (entry(shape=str([1] * 9)), "has the shape"),
        (entry(offsets="[0, 7]"), "has 7 bytes for 8 U8"),
        (entry(offsets="[8, 0]"), "lies from 8 to 0"),
        (entry(offsets="[-8, 0]"), "lies from -8 to 0"),
        (entry(shape="[100]", offsets="[0, 100]"), "36 bytes are missing"),
        (entry(offsets=f"[0, {HUGE - 1}]"), "bytes are missing"),
        (entry(offsets="[0]"), "its header is no table of tensors"),
        (
            table(json.dumps({name: {"dtype": "U8", "shape": [50], "data_offsets": [0, 50]} for name in "ab"})),
            "its tensors overlap",
        ),
        (FRONT + bytes(WEIGHTS - 1), "1 bytes are missing"),
    ],
)
def test_bad_weights_are_said_in_one_line(tmp_path: Path, weights: bytes, why: str) -> None:
    assert why in refuse(tmp_path / "m", weights=weights)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (b"", "no JSON object"),
        (b"[]", "no JSON object"),
        (b'{"model_type": "llama"', "no JSON object"),
        (b'{"\xff": "llama"}', "no JSON object"),
        (b"{" * 10, "no JSON object"),
        (b'{"a":' * 10_000, "nested too deep"),
        (b'{"model_type": "llama", "a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "nested too deep"),
        (b"{}", "it names no model_type"),
    ],
)
def test_bad_configurations_are_said_in_one_line(tmp_path: Path, config: bytes, why: str) -> None:
    assert why in refuse(tmp_path / "m", config=config)


def test_files_that_are_too_long_are_refused_unread(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", CONFIG)
    with (place / "config.json").open("wb") as file:
        file.write(b"{")
        file.truncate(500 * MIB)
    with within(16, 2), pytest.raises(BadModelFile, match="a JSON file of more than 4 MiB"):
        facts(str(place))
    folder(place, CONFIG)
    with (place / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", 100 * MIB))
        file.truncate(200 * MIB)
    with within(16, 2), pytest.raises(BadModelFile, match="a header of more than 32 MiB"):
        facts(str(place))


def test_an_index_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", CONFIG, TABLE)
    with (place / "model.safetensors.index.json").open("wb") as file:
        file.truncate(200 * MIB)
    with within(16, 2):
        found = facts(str(place))
    assert found is not None and found.parameters == 64


@pytest.mark.parametrize(
    "filling",
    [b'"k%d":1', b'"k%d":{}', b'"k%d":[[],[]]'],
    ids=["numbers", "objects", "lists"],
)
def test_a_crowded_configuration_takes_bounded_memory(tmp_path: Path, filling: bytes) -> None:
    place = folder(tmp_path / "m", CONFIG)
    rows = b",".join(filling % index for index in range(200_000))
    (place / "config.json").write_bytes(b'{"model_type":"llama",' + rows + b"}")
    with within(128, 5):
        found = facts(str(place))
    assert found is not None


def test_a_long_list_takes_bounded_memory(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", {**CONFIG, "num_key_value_heads": [8] * 1_000_000, "layer_types": ["x"] * 200_000})
    with within(128, 20):
        found = facts(str(place))
    assert found is not None and found.kv_elements == 32 * 2 * 8 * 128


def test_a_crowded_header_takes_bounded_memory(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", CONFIG)
    row = '"%d":{"dtype":"U8","shape":[],"data_offsets":[0,1]}'
    text = ("{" + ",".join(row % index for index in range(200_000)) + "}").encode()
    assert len(text) < 32 * MIB
    (place / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(200_000))
    with within(100, 30):
        found = facts(str(place))
    assert found is not None and found.weight_bytes == 200_000


STRANGE = [
    "32", "x", "", -1, 0, 1.5, 1e300, -1e300, 1 << 200, None, True, False, [], [None], [-1], ["a"], [[1]], {},
    {"a": {"b": [1]}}, "\x1b[2J", [1e300] * 3, [0] * 5000, 1 << 40, 4096, "9" * 5000,
]  # fmt: skip
INNER = [model.config.get("text_config") for model in MODELS.values()]
KEYS = sorted(
    {key for model in MODELS.values() for key in model.config}
    | {key for one in INNER if isinstance(one, dict) for key in one}
)


@settings(max_examples=300, deadline=3000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    model=st.sampled_from(sorted(MODELS)),
    changes=st.dictionaries(st.sampled_from(KEYS), st.sampled_from(STRANGE), max_size=6),
    inside=st.booleans(),
)
def test_no_value_raises_anything_else(tmp_path: Path, model: str, changes: dict[str, object], *, inside: bool) -> None:
    config: dict[str, object] = dict(MODELS[model].config)
    inner = config.get("text_config")
    if inside and isinstance(inner, dict):
        config["text_config"] = {**inner, **changes}
    else:
        config |= changes
    try:
        found = facts(str(folder(tmp_path, config, TABLE)))
    except BadModelFile as error:
        assert "\n" not in error.why  # noqa: PT017 # either outcome is right
    else:
        assert found is not None
        assert found.name.isprintable() and (found.architecture or "").isprintable()
        assert min(found.kv_elements or 0, found.state_elements, found.attention_width or 0, found.unused_bytes) >= 0


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e400", "123456789012345678901234567890"])
def test_numbers_that_json_does_not_have(tmp_path: Path, word: str) -> None:
    place = folder(tmp_path / "m", CONFIG)
    text = json.dumps(CONFIG)[:-1] + f', "a": [0.0, {word}], "b": {word}, "bos_token_id": {word}}}'
    (place / "config.json").write_text(text)
    found = facts(str(place))
    assert found is not None and found.kv_elements == 32 * 2 * 8 * 128
    (place / "config.json").write_text(text[:-1] + f', "num_key_value_heads": {word}}}')
    with pytest.raises(BadModelFile, match=r"num_key_value_heads is .*: no size between 1 and"):
        facts(str(place))


def test_the_last_of_two_keys_counts(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", CONFIG)
    (place / "config.json").write_text(json.dumps(CONFIG)[:-1] + ', "num_key_value_heads": 4}')
    found = facts(str(place))
    assert found is not None and found.kv_elements == 32 * 2 * 4 * 128


@settings(max_examples=300, deadline=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_mutation_raises_anything_else(tmp_path: Path, data: st.DataObject) -> None:
    place = folder(tmp_path, CONFIG)
    front = bytearray(FRONT)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(front) - 1))
        piece = data.draw(st.one_of(st.binary(min_size=1, max_size=9), st.just(b"\xff" * 8), st.just(b"9" * 20)))
        front[at : at + len(piece)] = piece
    (place / "model.safetensors").write_bytes(bytes(front) + bytes(data.draw(st.sampled_from([0, WEIGHTS, 1000]))))
    try:
        found = facts(str(place))
    except BadModelFile as error:
        assert "\n" not in error.why  # noqa: PT017 # either outcome is right
    else:
        assert found is not None


def test_an_index_cannot_point_elsewhere(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", CONFIG)
    (tmp_path / "secret.safetensors").write_bytes(FRONT + bytes(WEIGHTS))
    (place / "a.safetensors").write_bytes(FRONT + bytes(WEIGHTS))
    index = {"weight_map": {"a": "../secret.safetensors", "b": "/etc/passwd", "c": "a.safetensors"}}
    (place / "model.safetensors.index.json").write_text(json.dumps(index))
    found = facts(str(place))
    assert found is not None and found.parameters == 64


def test_links_in_a_circle(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", CONFIG)
    (place / "model.safetensors").symlink_to(place / "model.safetensors")
    with pytest.raises(BadModelFile):
        facts(str(place))
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert facts(str(tmp_path / "loop")) is None
