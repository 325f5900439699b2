"""How the weights are stored: the name that people say, and the bits that a weight takes."""

from itertools import islice
from pathlib import Path

from msgspec import Struct

from .config import Config, load

_KEYS = ("quantization_config", "compression_config")
_SIDE_FILES = ("hf_quant_config.json", "quantize_config.json", "quant_config.json")
"""Where ModelOpt, AutoGPTQ and AutoAWQ say it, if `config.json` does not."""
_TYPES = {
    "bfloat16": ("BF16", 16.0),
    "float16": ("F16", 16.0),
    "half": ("F16", 16.0),
    "float32": ("F32", 32.0),
    "float": ("F32", 32.0),
    "float8_e4m3fn": ("FP8", 8.0),
}
_LETTERS = {
    "awq": "AWQ",
    "gptq": "GPTQ",
    "gptq_marlin": "GPTQ",
    "auto-round": "AutoRound",
    "hqq": "HQQ",
    "aqlm": "AQLM",
}
_MOST_GROUPS = 1000
_SCALE_BITS = {"AWQ": 20.0, "GPTQ": 20.0, "AutoRound": 20.0, "HQQ": 32.0, "MLX": 32.0, "INT": 16.0}
"""Bits beside each group of weights: a scale of 16 bits, and a zero point of 4, or a bias of 16."""

MOST_BITS, MOST_EXL_BITS = 32.0, 16.0
"""Bits of a weight: no format has more, and those of exllama have at most 8, and 16 where nothing is quantised."""


class Scheme(Struct, frozen=True, kw_only=True):
    """One way to store weights."""

    name: str
    """As people write it: "AWQ 4-bit g128", "FP8", "BF16"."""
    bits: float
    """Bits of a quantised weight, its share of the scales included."""
    packed_bits: float = 0.0
    """Bits of a weight alone, where several share one stored integer; 0 where none do."""
    group: int | None = None
    """Weights that share a scale."""
    is_mlx: bool = False
    has_tables: bool = False
    """Whether the embedding table and the head are quantised, too."""
    experts_only: bool = False
    """Whether all but the routed experts are left as they were."""


def scheme(config: Config, folder: Path | None = None) -> Scheme | None:
    """The scheme of a model; None if nothing says that they are quantised.

    Args:
        config: of the language model.
        folder: where files of quantisers may lie beside it.

    Raises:
        BadModelFile: such a file is broken, or a weight has no possible number of bits.
        OSError: it cannot be read.
    """
    own = config.inside(*_KEYS)
    if own is None and any(True for _ in config.written(*_KEYS)):
        raise config.fail(f"{_KEYS[0]} is no object")
    mlx = config.inside("quantization")
    if own is None and mlx is not None and mlx.has("bits"):
        return _mlx(mlx)
    own = own or _beside(folder)
    return _named(own) if own is not None else None


def plain(config: Config) -> tuple[str | None, float]:
    """Name and bits of the type of weights that are not quantised; 16 bits where nothing says it."""
    return _TYPES.get((config.text("torch_dtype", "dtype") or "").removeprefix("torch."), (None, 16.0))


def _beside(folder: Path | None) -> Config | None:
    for name in _SIDE_FILES if folder else ():
        path = folder / name if folder else Path()
        if path.is_file():
            found = load(path)
            return found.inside("quantization") or found
    return None


def _bits(own: Config, names: tuple[str, ...], usual: float, most: float) -> float:
    """The bits of a weight; the usual ones where nothing is said."""
    for name, value in own.written(*names):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 1 <= float(own.number(name) or 0) <= most:
            raise own.fail(f"{name} of the quantisation is {repr(value)[:40]}: no number of bits from 1 to {most:g}")
        return own.number(name) or usual
    return usual


def _whole_bits(own: Config, name: str, usual: int) -> int:
    bits = _bits(own, (name,), usual, MOST_BITS)
    if bits != int(bits):
        raise own.fail(f"{name} of the quantisation is {bits:g}: no whole number of bits")
    return int(bits)


def _mlx(config: Config) -> Scheme:
    bits, group = _whole_bits(config, "bits", 4), config.whole("group_size") or 64
    mode = config.text("mode") or "affine"
    name = f"MLX {bits}-bit g{group}" if mode == "affine" else f"MLX {mode.upper()}"
    scales = _SCALE_BITS["MLX"] if mode == "affine" else 8.0
    return Scheme(
        name=name, bits=bits + scales / max(group, 1), packed_bits=bits, group=group, is_mlx=True, has_tables=True
    )


def _named(own: Config) -> Scheme:
    method = (own.text("quant_method", "quant_type") or "").lower()
    algorithm = (own.text("quant_algo") or "").upper()
    if method in {"modelopt", "compressed-tensors", "modelopt_fp4", "modelopt_mixed"} or algorithm:
        return _grouped(own, method, algorithm)
    if method == "mxfp4":
        return Scheme(name="MXFP4", bits=4.25, packed_bits=4, group=32, experts_only=True)
    if method in {"fp8", "fbgemm_fp8", "finegrained_fp8"}:
        return Scheme(name="FP8", bits=8.0)
    if method == "bitsandbytes":
        return _bitsandbytes(own)
    is_exl = method.startswith("exl")
    bits = _bits(own, ("bits", "w_bit", "wbits", "nbits"), 4.0, MOST_EXL_BITS if is_exl else MOST_BITS)
    if is_exl:
        return Scheme(name=f"{method.upper()} {round(bits, 2)} bpw", bits=bits)
    if method == "bitnet":
        return Scheme(name="BitNet", bits=2.0, packed_bits=2)
    name = _LETTERS.get(method.removeprefix("intel/")) or method.upper()[:32] or "GPTQ"
    return _integers(name, bits, own.whole("group_size", "q_group_size"))


def _integers(name: str, bits: float, group: int | None) -> Scheme:
    """Whole numbers of few bits; a group of -1 is a whole row, whose scale takes next to nothing."""
    size = f" g{group}" if group else ""
    scales = _SCALE_BITS.get(name, 16.0) / group if group else 0.0
    return Scheme(name=f"{name} {bits:g}-bit{size}", bits=bits + scales, packed_bits=bits, group=group)


def _bitsandbytes(own: Config) -> Scheme:
    if own.flag("load_in_8bit", "_load_in_8bit"):
        return Scheme(name="bitsandbytes 8-bit", bits=8.0)
    kind = (own.text("bnb_4bit_quant_type") or "fp4").upper()
    return Scheme(name=f"bitsandbytes {kind}", bits=4.5, packed_bits=4, group=64)


def _grouped(own: Config, method: str, algorithm: str) -> Scheme:
    """ModelOpt and compressed-tensors: the weights of each group of layers have a type and a number of bits."""
    groups = own.inside("config_groups")
    each = [group for _, group in islice(groups.objects(), _MOST_GROUPS)] if groups else []
    inputs = [group.inside("input_activations") for group in each]
    activations = next((one.whole("num_bits") for one in inputs if one), None) or 16
    weights = [group.inside("weights") for group in each]
    found = [_group(own, weight, activations) for weight in weights if weight is not None]
    if not found:
        found = [_algorithm(word) for word in (algorithm or method).split("+")]
    found.sort(key=lambda pair: pair[1])
    name = " + ".join(dict.fromkeys(pair[0] for pair in found))
    ignored = own.texts("ignore", "exclude_modules", "modules_to_not_convert") or []
    few = any("self_attn" in word and "*" in word for word in ignored) or sum("self_attn" in w for w in ignored) > 8
    bits, packed = found[0][1], found[0][2]
    return Scheme(name=name, bits=bits, packed_bits=packed, experts_only=few)


def _group(own: Config, weight: Config, activations: int) -> tuple[str, float, float]:
    """Name, bits with scales, bits alone."""
    bits, group, kind = _whole_bits(weight, "num_bits", 8), weight.whole("group_size"), weight.text("type")
    layout = own.text("format") or ""
    if kind == "float":
        if bits == 8:
            return "FP8", 8.0, 0.0
        name = "MXFP4" if "mxfp4" in layout or group == 32 else "NVFP4"
        return _algorithm(name)
    size = f" g{group}" if group else ""
    return f"W{bits}A{activations}{size}", bits + (16.0 / group if group else 0.0), float(bits) if bits < 8 else 0.0


def _algorithm(word: str) -> tuple[str, float, float]:
    """The like, from one word."""
    if "NVFP4" in word:
        return "NVFP4", 4.5, 4.0
    if "MXFP4" in word:
        return "MXFP4", 4.25, 4.0
    if "FP8" in word:
        return "FP8", 8.0, 0.0
    return word, 16.0 if "16" in word else 8.0, 0.0
