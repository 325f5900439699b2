"""A model folder in the manner of Hugging Face, of random weights: config, tokenizer, safetensors. Needs numpy only."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, LAYERS, HEADS, HEAD_WIDTH, FEED_FORWARD, CONTEXT = 512, 8, 8, 64, 1536, 4096
WORDS = tuple(consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou")
SPECIAL = ("<unk>", "<s>", "</s>")
VOCABULARY = (*SPECIAL, *[first + second for first in WORDS for second in WORDS][:4093])
TEMPLATE = "{% for m in messages %}{{ m['content'] + ' ' }}{% endfor %}"
"""Each token is one whole word, so that each token that is made is one piece of text that is sent."""


def write(folder: Path) -> Path:
    """Writes a Llama model of 29 M parameters in float32 and returns the folder.

    The output rows of the special tokens are zero: greedy decoding never picks the end of the text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (
        ("config.json", _config()),
        ("generation_config.json", {"bos_token_id": 1, "eos_token_id": 2, "do_sample": False}),
        ("tokenizer.json", _tokenizer()),
        ("tokenizer_config.json", _tokenizer_config()),
    ):
        (folder / name).write_text(json.dumps(content))
    _write_weights(folder / "model.safetensors")
    return folder


def _config() -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": WIDTH,
        "intermediate_size": FEED_FORWARD,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "head_dim": HEAD_WIDTH,
        "vocab_size": len(VOCABULARY),
        "max_position_embeddings": CONTEXT,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "torch_dtype": "float32",
    }


def _tokenizer() -> dict[str, Any]:
    return {
        "version": "1.0",
        "added_tokens": [
            {
                "id": number,
                "content": text,
                "special": True,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
            }
            for number, text in enumerate(SPECIAL)
        ],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {
            "type": "WordLevel",
            "vocab": {text: number for number, text in enumerate(VOCABULARY)},
            "unk_token": "<unk>",
        },
    }


def _tokenizer_config() -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "chat_template": TEMPLATE,
        "model_max_length": CONTEXT,
        "clean_up_tokenization_spaces": False,
    }


def _shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    attention = HEADS * HEAD_WIDTH
    yield "model.embed_tokens.weight", (len(VOCABULARY), WIDTH)
    for layer in range(LAYERS):
        place = f"model.layers.{layer}."
        for name in ("q", "k", "v"):
            yield f"{place}self_attn.{name}_proj.weight", (attention, WIDTH)
        yield f"{place}self_attn.o_proj.weight", (WIDTH, attention)
        yield f"{place}mlp.gate_proj.weight", (FEED_FORWARD, WIDTH)
        yield f"{place}mlp.up_proj.weight", (FEED_FORWARD, WIDTH)
        yield f"{place}mlp.down_proj.weight", (WIDTH, FEED_FORWARD)
        yield f"{place}input_layernorm.weight", (WIDTH,)
        yield f"{place}post_attention_layernorm.weight", (WIDTH,)
    yield "model.norm.weight", (WIDTH,)
    yield "lm_head.weight", (len(VOCABULARY), WIDTH)


def _write_weights(path: Path) -> None:
    """The safetensors format: length of the header, header, tensors one after another."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in _shapes():
        start, end = end, end + 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    random = np.random.default_rng(1)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, shape in _shapes():
            file.write(_values(name, shape, random).astype("<f4").tobytes())


def _values(name: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray[Any, Any]:
    if len(shape) == 1:
        return np.ones(shape)
    values: np.ndarray[Any, Any] = random.standard_normal(shape, dtype=np.float32) * shape[-1] ** -0.5
    if name == "lm_head.weight":
        values[: len(SPECIAL)] = 0
    return values
