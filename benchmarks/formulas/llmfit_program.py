"""llmfit itself, asked row by row, where it is installed.

Seen with version 1.1.17, newer than the source that `llmfit.py` follows: on dense models the two agree within a few
per cent, for some mixtures of experts (gpt-oss, GLM-4.7-Flash) the program states up to 1.8 times the formula.

A hardware profile (`--profile FILE`: memory, bandwidth) takes the place of the detected machine, and
`plan MODEL --quant Q --json` states an estimate for each way to run; the one called "gpu" is taken. So every device can
be asked for, with llmtop's bandwidth, except that

- a profile knows no VRAM apart from the RAM, so each device is described as unified memory of its own size; for a
  dense model that changes nothing, and a mixture of experts gets its memory penalty. Partial offload cannot be asked;
- CPUs have no profile: `--cpu-cores N plan` states the "current" speed of this machine with N threads, if it has no
  GPU, with the constant of the processor family that llmfit was built for: rows of the other family are left out;
- `plan` refuses the formats that it does not list; "Q4_K_M" is asked for then, which has the bytes that llmfit's own
  tables give to any other format;
- the model must be in llmfit's own list. Of the entries of the same name and kind, that of the nearest size is asked,
  and none that is more than a tenth off.
"""

import json
import platform
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from .case import Case
from .llmfit import llmfit_key, threads

PROGRAM = shutil.which("llmfit")
PLENTY_GIB = 4096.0
"""Stands for a memory whose size is not known."""
VARIANTS = ("", "instruct", "it", "hf", "base", "chat", "v01", "instructv01")
LARGEST_DIFFERENCE = 0.1


class Way(Struct, frozen=True):
    """One way to run a model, as `plan` lists them."""

    path: str
    estimated_tps: float | None = None


class Current(Struct, frozen=True):
    """The way that `plan` takes for this machine."""

    run_mode: str
    estimated_tps: float | None = None


class Plan(Struct, frozen=True):
    """What `plan --json` states."""

    run_paths: tuple[Way, ...]
    current: Current


class Entry(Struct, frozen=True):
    """What `list --json` states of a model."""

    name: str
    format: str
    is_moe: bool
    parameters_raw: int | None = None

    @property
    def plain(self) -> str:
        return _plain(self.name.rpartition("/")[2])


def llmfit_program(case: Case) -> float | None:
    """Tokens/s as the program states them; None where it cannot be asked or gives no answer."""
    quantization = llmfit_key(case.quantization) or "Q4_K_M"
    name = _entry(case.row.model, case.facts.parameters, case.moe)
    if name is None or case.spills:
        return None
    if case.on_cpu:
        if case.arm != (platform.machine() in ("aarch64", "arm64")) or case.device.cores is None:
            return None
        return _here(threads(case.device.cores), name, quantization)
    if case.bandwidth_gbs is None:
        return None
    return _simulated(case.memory_gib or PLENTY_GIB, case.bandwidth_gbs, name, quantization)


@cache
def _simulated(memory_gib: float, bandwidth_gbs: float, name: str, quantization: str) -> float | None:
    hardware = {
        "total_ram_gb": memory_gib,
        "unified_memory": True,
        "gpu_memory_bandwidth_gbps": bandwidth_gbs,
        "ddr_bandwidth_gbps": bandwidth_gbs,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "row.json"  # llmfit wants the name of the profile to be that of the file
        path.write_text(json.dumps({"schema_version": 1, "name": "row", "hardware": hardware}))
        plan = _plan(("--profile", str(path)), name, quantization)
    return next((way.estimated_tps for way in plan.run_paths if way.path == "gpu"), None) if plan else None


@cache
def _here(cpu_threads: int, name: str, quantization: str) -> float | None:
    plan = _plan(("--cpu-cores", str(cpu_threads)), name, quantization)
    return plan.current.estimated_tps if plan and plan.current.run_mode == "CpuOnly" else None


def _plan(machine: tuple[str, ...], name: str, quantization: str) -> Plan | None:
    stated = _ask(*machine, "plan", name, "--context", "4096", "--quant", quantization, "--json")
    return msgspec.json.decode(stated, type=Plan) if stated else None


@cache
def _entry(model: str, parameters: int | None, moe: bool) -> str | None:
    """The name in llmfit's list of the entry that is this model."""
    if not parameters:
        return None
    wanted = {_plain(model) + variant for variant in VARIANTS}
    same = [entry for entry in _list() if entry.plain in wanted and entry.is_moe == moe]
    near = [(abs((entry.parameters_raw or 0) / parameters - 1.0), entry.name) for entry in same]
    difference, name = min(near, default=(1.0, ""))
    return name if difference <= LARGEST_DIFFERENCE else None


@cache
def _list() -> list[Entry]:
    entries = msgspec.json.decode(_ask("list", "--json") or b"[]", type=list[Entry])
    return [entry for entry in entries if entry.format == "gguf"]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower()).removeprefix("meta")


def _ask(*arguments: str) -> bytes:
    """What the program prints; nothing where it refuses."""
    if PROGRAM is None:
        return b""
    done = subprocess.run((PROGRAM, *arguments), capture_output=True, check=False, timeout=60)
    return done.stdout if done.returncode == 0 else b""
