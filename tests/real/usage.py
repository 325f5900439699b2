"""What a real engine takes: processor time for a token, and memory."""

import json
import random
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import psutil
from llmtop.tui.demo.shape import Shape

from .engine import Server

MIB = 1 << 20
EXPERTS = Shape(
    width=2048, layers=8, heads=16, kv_heads=16, head_width=128, feed_forward=1024, experts=16, used=4, context=8192
)
"""Half the layers of OLMoE-1B-7B, and fewer experts of the same size (its row in catalogue/models.csv)."""
WORDS = range(300, 1000)
"""Tokens that every made-up model has; many different ones reach all experts of a mixture."""
IDLE = "import xllamacpp, sys; print('up', flush=True); sys.stdin.read()"


def decode_tps(server: Server, prompt: int, generate: int) -> float:
    """Tokens a second of processor time, of one stream on one thread: what a machine does that has nothing else to do.

    Args:
        server: a server of one thread.
        prompt: tokens that it reads first.
        generate: tokens that count.
    """
    process = psutil.Process(server.pid)
    connection = HTTPConnection("127.0.0.1", server.port, timeout=600)
    asked = {
        "prompt": random.Random(1).choices(WORDS, k=prompt),
        "n_predict": generate + 2,
        "ignore_eos": True,
        "stream": True,
        "cache_prompt": False,
    }
    connection.request("POST", "/completion", json.dumps(asked), {"Content-Type": "application/json"})
    spent: list[float] = []
    for line in connection.getresponse():
        if line.startswith(b"data: ") and b'"content":""' not in line:
            used = process.cpu_times()
            spent.append(used.user + used.system)
    connection.close()
    return (len(spent) - 2) / (spent[-1] - spent[1])


def memory_bytes(server: Server, model: Path, work: int = 512) -> int:
    """Memory that the running model has: what the server took beyond the bare library, and the file's pages in use.

    llama.cpp maps the file. Matrices that it repacks for the CPU are read from there once, and then stand in memory of
    its own; so the pages of the file count that are touched again while it works.
    """
    Path(f"/proc/{server.pid}/clear_refs").write_text("1", encoding="ascii")
    decode_tps(server, work, 16)
    own = _kib(Path(f"/proc/{server.pid}/smaps_rollup").read_text(encoding="ascii"), "Pss_Anon")
    mapped = 0
    for part in Path(f"/proc/{server.pid}/smaps").read_text(encoding="utf-8").split("VmFlags:"):
        if str(model) in part:
            mapped += _kib(part, "Referenced")
    return 1024 * (own + mapped - _bare_kib())


def _bare_kib() -> int:
    """Of a process that has loaded the library and no model."""
    process = subprocess.Popen([sys.executable, "-c", IDLE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        time.sleep(0.1)
        return _kib(Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii"), "Pss_Anon")
    finally:
        process.kill()
        process.communicate()


def _kib(text: str, name: str) -> int:
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name}:"))
