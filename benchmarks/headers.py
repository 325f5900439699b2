"""How long the facts of a model of 100 GB take, and how much of it is read: `python benchmarks/headers.py`.

Makes two sets of files in a temporary folder, whose weights are holes: a GGUF of 12 shards with a vocabulary of 128k
tokens, and a Hugging Face folder of 30 shards. Each is read in a new process; the files are in the cache of the system.
"""

import json
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / ".src"), str(ROOT)]

LAYERS, EXPERTS, HIDDEN, INNER = 94, 128, 4096, 1536
"""Of Qwen3-235B-A22B."""
VOCABULARY = 128_000
SHARDS, PIECES = 12, 30


def make_gguf(folder: Path) -> tuple[Path, int]:
    """The first shard, and the bytes of all."""
    from tests.models.build import Item, build  # noqa: PLC0415 # only after the path is set

    table: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (HIDDEN, VOCABULARY),
        "output.weight": (HIDDEN, VOCABULARY),
    }
    for layer in range(LAYERS):
        table |= {
            f"blk.{layer}.{kind}.weight": (HIDDEN, rows)
            for kind, rows in (("attn_q", 8192), ("attn_k", 512), ("attn_v", 512), ("attn_output", 8192))
        }
        table |= {f"blk.{layer}.{kind}_norm.weight": (HIDDEN,) for kind in ("attn", "ffn", "attn_q", "attn_k")}
        table |= {
            f"blk.{layer}.ffn_{kind}_exps.weight": (HIDDEN, INNER // 4, EXPERTS) for kind in ("up", "gate", "down")
        }
    names = list(table)
    words = [f"token{index}" for index in range(VOCABULARY)]
    keys: dict[str, Item] = {
        "general.architecture": "qwen3moe",
        "qwen3moe.block_count": LAYERS,
        "qwen3moe.embedding_length": HIDDEN,
        "qwen3moe.attention.head_count": 64,
        "qwen3moe.attention.head_count_kv": 4,
        "tokenizer.ggml.tokens": words,
        "tokenizer.ggml.merges": [f"{word} {word}" for word in words],
        "tokenizer.ggml.token_type": [1] * VOCABULARY,
    }
    size = 0
    for shard in range(SHARDS):
        own = {name: table[name] for name in names[shard::SHARDS]}
        path = folder / f"m-{shard + 1:05}-of-{SHARDS:05}.gguf"
        size += build(path, keys if shard == 0 else {"split.no": shard}, own).stat().st_size
    return folder / f"m-00001-of-{SHARDS:05}.gguf", size


def make_safetensors(folder: Path) -> tuple[Path, int]:
    """The folder, and the bytes of its weights."""
    names = {"model.embed_tokens.weight": [VOCABULARY, HIDDEN], "lm_head.weight": [VOCABULARY, HIDDEN]}
    for layer in range(LAYERS):
        names |= {f"model.layers.{layer}.self_attn.{kind}_proj.weight": [4096, HIDDEN] for kind in "qkvo"}
        for expert in range(EXPERTS):
            prefix = f"model.layers.{layer}.mlp.experts.{expert}"
            names |= {f"{prefix}.{kind}_proj.weight": [INNER // 4, HIDDEN] for kind in ("up", "gate", "down")}
    config = {
        "model_type": "qwen3_moe", "num_hidden_layers": LAYERS, "hidden_size": HIDDEN, "num_attention_heads": 64,
        "num_key_value_heads": 4, "head_dim": 128, "num_experts": EXPERTS, "num_experts_per_tok": 8,
        "moe_intermediate_size": INNER, "vocab_size": VOCABULARY, "torch_dtype": "bfloat16",
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    every, size = list(names), 0
    for part in range(PIECES):
        table: dict[str, object] = {}
        end = 0
        for name in every[part::PIECES]:
            start, end = end, end + 2 * names[name][0] * names[name][1]
            table[name] = {"dtype": "BF16", "shape": names[name], "data_offsets": [start, end]}
        head = json.dumps(table).encode()
        with (folder / f"model-{part + 1:05}-of-{PIECES:05}.safetensors").open("wb") as file:
            file.write(struct.pack("<Q", len(head)) + head)
            file.truncate(8 + len(head) + end)
            size += 8 + len(head) + end
    return folder, size


def read_once(path: str) -> None:
    """Prints the milliseconds of one reading, and the bytes that it asked the system for."""
    from llmtop.probes.models import facts  # noqa: PLC0415 # its import is no part of the time

    before, start = _read_bytes(), time.perf_counter()
    found = facts(path)
    took = time.perf_counter() - start
    assert found is not None and found.weight_bytes
    print(1e3 * took, _read_bytes() - before)


def _read_bytes() -> int:
    """Bytes that this process has read so far (Linux)."""
    lines = Path("/proc/self/io").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith("rchar")).split()[1])


def main() -> None:
    for make in (make_gguf, make_safetensors):
        with tempfile.TemporaryDirectory() as folder:
            path, size = make(Path(folder))
            runs = [
                subprocess.run(
                    [sys.executable, __file__, str(path)], capture_output=True, text=True, check=True
                ).stdout.split()
                for _ in range(5)
            ]
            times = sorted(float(run[0]) for run in runs)
            read = int(runs[0][1])
            name = f"{make.__name__[5:]:12} {size / 1e9:6.1f} GB"
            print(f"{name}  {times[2]:6.1f} ms (median of 5)  {read / 1e6:.2f} MB read")


if __name__ == "__main__":
    read_once(sys.argv[1]) if len(sys.argv) > 1 else main()
