"""Bytes and parameters of the tensors of a model, by what they are for."""

from collections.abc import Mapping

from .config import Config
from .header import Tensor
from .layers import Layer
from .parts import parts
from .quantization import Scheme, plain
from .roles import Role, role

_SCALES = {
    "SCB", "absmax", "biases", "g_idx", "input_global_scale", "input_scale", "k_scale", "mcg", "mul1", "nested_absmax",
    "nested_quant_map", "output_scale", "q_group_map", "q_groups", "q_invperm", "q_perm", "q_scale", "q_scale_max",
    "quant_map", "qzeros", "scale", "scales", "su", "suh", "sv", "svh", "v_scale", "weight_format",
    "weight_global_scale", "weight_scale", "weight_scale_2", "weight_scale_inv", "weight_shape", "weight_zero_point",
}  # fmt: skip
"""Last words of the names of what goes with quantised weights and is none itself."""


_WHOLE = {"BF16", "F16", "F32", "F8_E4M3", "F8_E5M2"}
"""Types that hold one weight each."""


class Tally:
    """Sums over tensors."""

    def __init__(self, layers: int | None, scheme: Scheme | None) -> None:
        self._layers = layers
        self._scheme = scheme
        self._roles: dict[str, Role] = {}
        self.bytes: dict[Role, int] = {}
        self.parameters: dict[Role, int] = {}
        self.types: dict[str, int] = {}
        """Bytes by type."""

    def add(self, tensors: Mapping[str, Tensor]) -> None:
        """Adds the tensors of one file."""
        for name, tensor in tensors.items():
            self.count(name, tensor.bytes, self._weights(name, tensor, tensors))
            self.types[tensor.dtype] = self.types.get(tensor.dtype, 0) + tensor.bytes

    def count(self, name: str, size: int, parameters: int) -> None:
        """Adds one tensor of so many bytes."""
        kind = self._role(name)
        self.bytes[kind] = self.bytes.get(kind, 0) + size
        self.parameters[kind] = self.parameters.get(kind, 0) + parameters

    def _role(self, name: str) -> Role:
        """All experts of a layer have one: there may be a hundred thousand tensors of them."""
        end = name.find(".experts.") + 9
        start = name[:end] if end > 8 else name
        kind = self._roles.get(start)
        if kind is None:
            kind = self._roles[start] = role(start, self._layers)
        return kind

    def _weights(self, name: str, tensor: Tensor, others: Mapping[str, Tensor]) -> int:
        """The weights that a tensor stands for: a packed integer holds several."""
        module, _, last = name.rpartition(".")
        scheme, count = self._scheme, tensor.elements
        if last == "weight" and tensor.dtype in _WHOLE:
            return count
        if scheme is not None and scheme.is_mlx and f"{module}.scales" in others:
            return others[f"{module}.scales"].elements * (scheme.group or 0) if last == "weight" else 0
        if (
            last in _SCALES
            or last.endswith(("_scales", "_scale", "_scale_inv", "_scale_2"))
            or "bitsandbytes__" in last
        ):
            return 0
        if last == "q_weight":
            order = others.get(f"{module}.q_perm") or others.get(f"{module}.q_invperm")
            return order.elements * tensor.shape[-1] if order is not None and tensor.shape else 0
        if last == "trellis":
            return count // tensor.shape[-1] * 256 if tensor.shape and tensor.shape[-1] else 0
        if last.endswith("_blocks") and tensor.dtype == "U8":
            return 2 * count
        if last in {"qweight", "weight_packed"} and tensor.dtype in {"I32", "U32"}:
            return round(count * 32 / ((scheme.packed_bits if scheme else 0) or 4))
        return count * _packed(module, last, tensor, others, scheme)


def _packed(module: str, last: str, tensor: Tensor, others: Mapping[str, Tensor], scheme: Scheme | None) -> int:
    """How many weights of 4 bits or fewer one byte holds; 1 where it holds one."""
    bits = scheme.packed_bits if scheme else 0
    if tensor.dtype == "U8" and 0 < bits <= 4:
        return round(8 / bits)
    scale = others.get(f"{module}.scale") or others.get(f"{module}.weight_scale")
    if tensor.dtype in {"U8", "I8"} and scale is not None and scale.shape and tensor.shape:
        return 2 if 2 * tensor.shape[-1] in {16 * scale.shape[-1], 32 * scale.shape[-1]} else 1
    return 2 if last == "weight_packed" and tensor.dtype == "U8" else 1


def expected(config: Config, found: list[Layer], scheme: Scheme | None) -> Tally | None:
    """What the tensors would come to, by arithmetic; None where the configuration does not tell."""
    known = parts(config, found)
    if known is None:
        return None
    tally = Tally(config.layers, scheme)
    tally.parameters = known.by_role()
    for kind, count in tally.parameters.items():
        tally.bytes[kind] = round(count * _bits(kind, scheme, plain(config)[1]) / 8)
    return tally


def _bits(kind: Role, scheme: Scheme | None, bits: float) -> float:
    """Tables and heads are left as they were by most quantisers, and all but the experts by some."""
    if scheme is None or (scheme.experts_only and kind != "experts"):
        return bits
    return scheme.bits if scheme.has_tables or kind in {"experts", "body"} else bits
