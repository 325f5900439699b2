"""Quantised tensors as those who make them store them: parameters are counted unpacked, bytes as stored."""

from pathlib import Path

import pytest
from llmtop.probes.models import facts

from .folders import Table, weights
from .test_safetensors import CONFIG, TABLE, read

PACKED: dict[str, tuple[dict[str, object], Table, int, str]] = {
    "awq": (
        {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemm"}},
        {"qweight": ("I32", (256, 512 // 8)), "qzeros": ("I32", (2, 512 // 8)), "scales": ("F16", (2, 512))},
        256 * 512,
        "AWQ 4-bit g128",
    ),
    "gptq": (
        {"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": True}},
        {
            "qweight": ("I32", (256 // 8, 512)),
            "qzeros": ("I32", (2, 512 // 8)),
            "scales": ("F16", (2, 512)),
            "g_idx": ("I32", (256,)),
        },
        256 * 512,
        "GPTQ 4-bit g128",
    ),
    "gptq of 3 bits": (
        {"quantization_config": {"quant_method": "gptq", "bits": 3, "group_size": -1}},
        {"qweight": ("I32", (256 * 3 // 32, 512)), "scales": ("F16", (1, 512))},
        256 * 512,
        "GPTQ 3-bit",
    ),
    "gptq of 8 bits": (
        {"quantization_config": {"quant_method": "gptq", "bits": 8, "group_size": 32}},
        {"qweight": ("I32", (256 // 4, 512)), "scales": ("F16", (8, 512))},
        256 * 512,
        "GPTQ 8-bit g32",
    ),
    "compressed-tensors": (
        {
            "quantization_config": {
                "quant_method": "compressed-tensors",
                "format": "pack-quantized",
                "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int", "group_size": 32}}},
            }
        },
        {
            "weight_packed": ("I32", (512, 256 // 8)),
            "weight_scale": ("BF16", (512, 8)),
            "weight_shape": ("I64", (2,)),
        },
        256 * 512,
        "W4A16 g32",
    ),
    "fp8 in blocks": (
        {"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}},
        {"weight": ("F8_E4M3", (512, 256)), "weight_scale_inv": ("F32", (4, 2))},
        256 * 512,
        "FP8",
    ),
    "fp8 of compressed-tensors": (
        {
            "quantization_config": {
                "quant_method": "compressed-tensors",
                "format": "float-quantized",
                "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float"}}},
            }
        },
        {"weight": ("F8_E4M3", (512, 256)), "weight_scale": ("BF16", (512, 1))},
        256 * 512,
        "FP8",
    ),
    "nvfp4": (
        {
            "quantization_config": {
                "quant_method": "modelopt",
                "quant_algo": "NVFP4",
                "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "float", "group_size": 16}}},
            }
        },
        {
            "weight": ("U8", (512, 256 // 2)),
            "weight_scale": ("F8_E4M3", (512, 16)),
            "weight_scale_2": ("F32", ()),
            "input_scale": ("F32", ()),
        },
        256 * 512,
        "NVFP4",
    ),
    "mxfp4": (
        {"quantization_config": {"quant_method": "mxfp4"}},
        {"up_blocks": ("U8", (4, 512, 8, 16)), "up_scales": ("U8", (4, 512, 8)), "up_bias": ("BF16", (4, 512))},
        4 * 512 * 256 + 4 * 512,
        "MXFP4",
    ),
    "fp4 beside fp8": (
        {"quantization_config": {"quant_method": "fp8"}, "expert_dtype": "fp4"},
        {"weight": ("I8", (512, 256 // 2)), "scale": ("F8_E8M0", (512, 8))},
        256 * 512,
        "FP8",
    ),
    "bitsandbytes": (
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}},
        {
            "weight": ("U8", (512 * 256 // 2, 1)),
            "weight.absmax": ("U8", (2048,)),
            "weight.nested_absmax": ("F32", (8,)),
            "weight.nested_quant_map": ("F32", (256,)),
            "weight.quant_map": ("F32", (16,)),
            "weight.quant_state.bitsandbytes__nf4": ("U8", (92,)),
        },
        256 * 512,
        "bitsandbytes NF4",
    ),
    "bitsandbytes of 8 bits": (
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}},
        {"weight": ("I8", (512, 256)), "SCB": ("F32", (512,)), "weight_format": ("U8", ())},
        256 * 512,
        "bitsandbytes 8-bit",
    ),
    "mlx": (
        {"quantization": {"group_size": 64, "bits": 4}},
        {"weight": ("U32", (512, 256 // 8)), "scales": ("BF16", (512, 4)), "biases": ("BF16", (512, 4))},
        256 * 512,
        "MLX 4-bit g64",
    ),
    "mlx of 6 bits here, 4 elsewhere": (
        {"quantization": {"group_size": 64, "bits": 4}},
        {"weight": ("U32", (512, 256 * 6 // 32)), "scales": ("BF16", (512, 4)), "biases": ("BF16", (512, 4))},
        256 * 512,
        "MLX 4-bit g64",
    ),
    "mlx mxfp4": (
        {"quantization": {"group_size": 32, "bits": 4, "mode": "mxfp4"}},
        {"weight": ("U32", (512, 256 // 8)), "scales": ("U8", (512, 8))},
        256 * 512,
        "MLX MXFP4",
    ),
    "exl2": (
        {"quantization_config": {"quant_method": "exl2", "bits": 4.25}},
        {
            "q_weight": ("I32", (256 * 4 // 32, 512)),
            "q_invperm": ("I32", (256,)),
            "q_scale": ("I32", (8, 64)),
            "q_scale_max": ("F16", (8,)),
            "q_groups": ("I16", (16,)),
        },
        256 * 512,
        "EXL2 4.25 bpw",
    ),
    "exl3": (
        {"quantization_config": {"quant_method": "exl3", "bits": 4.0}},
        {"trellis": ("I16", (16, 32, 16 * 4)), "suh": ("F16", (256,)), "svh": ("F16", (512,))},
        256 * 512,
        "EXL3 4.0 bpw",
    ),
}


@pytest.mark.parametrize("name", PACKED)
def test_packed_weights_are_counted_one_by_one(tmp_path: Path, name: str) -> None:
    more, tensors, count, quantization = PACKED[name]
    plain = read(tmp_path / "plain", CONFIG, TABLE)
    packed = {f"model.layers.0.mlp.up_proj.{last}": entry for last, entry in tensors.items()}
    found = read(tmp_path / "packed", {**CONFIG, **more}, {**TABLE, **packed})
    alone = facts(str(weights(tmp_path / "alone.safetensors", packed)))
    assert plain.parameters and plain.weight_bytes and alone is not None and alone.weight_bytes
    assert found.parameters == plain.parameters + count
    assert found.weight_bytes == plain.weight_bytes + alone.weight_bytes
    assert found.quantization == quantization


def test_a_file_alone_tells_by_its_scales(tmp_path: Path) -> None:
    packed: Table = {
        "a.weight": ("U8", (512, 128)),
        "a.weight_scale": ("F8_E4M3", (512, 16)),
        "b.weight": ("U8", (8, 8)),
    }
    found = facts(str(weights(tmp_path / "m.safetensors", packed)))
    assert found is not None and found.parameters == 512 * 256 + 64
