"""Names of ways to store weights, as people write them, from the files of those who make them."""

import json
import time
from pathlib import Path

import pytest
from llmtop.probes.models import BadModelFile
from llmtop.probes.models.safetensors.config import load
from llmtop.probes.models.safetensors.quantization import Scheme, scheme


def of(place: Path, config: dict[str, object], **beside: object) -> Scheme | None:
    (place / "config.json").write_text(json.dumps(config))
    for name, value in beside.items():
        (place / f"{name}.json").write_text(json.dumps(value))
    return scheme(load(place / "config.json").language(), place)


def groups(*weights: dict[str, object], **more: object) -> dict[str, object]:
    named = {f"group_{index}": {"weights": weight} for index, weight in enumerate(weights)}
    return {"quantization_config": {"config_groups": named, **more}}


FLOAT4: dict[str, object] = {"num_bits": 4, "type": "float", "group_size": 16}
FLOAT8: dict[str, object] = {"num_bits": 8, "type": "float"}


@pytest.mark.parametrize(
    ("own", "name", "bits"),
    [
        ({"quant_method": "awq", "w_bit": 4, "q_group_size": 64}, "AWQ 4-bit g64", 4 + 20 / 64),
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, "GPTQ 4-bit g128", 4 + 20 / 128),
        ({"quant_method": "gptq", "bits": 4, "group_size": -1}, "GPTQ 4-bit", 4),
        ({"quant_method": "auto-round", "bits": 2, "group_size": 128}, "AutoRound 2-bit g128", 2 + 20 / 128),
        ({"quant_method": "intel/auto-round", "bits": 4, "group_size": 128}, "AutoRound 4-bit g128", 4 + 20 / 128),
        ({"quant_method": "fp8"}, "FP8", 8),
        ({"quant_method": "fbgemm_fp8"}, "FP8", 8),
        ({"quant_method": "mxfp4"}, "MXFP4", 4.25),
        ({"quant_method": "exl2", "bits": 4.65}, "EXL2 4.65 bpw", 4.65),
        ({"quant_method": "exl3", "bits": 3}, "EXL3 3.0 bpw", 3),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "bitsandbytes FP4", 4.5),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bitsandbytes 8-bit", 8),
        ({"quant_method": "bitnet"}, "BitNet", 2),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "NVFP4", 4.5),
        ({"quant_method": "modelopt", "quant_algo": "FP8"}, "FP8", 8),
        ({"quant_method": "a new one", "bits": 3}, "A NEW ONE 3-bit", 3),
        ({}, "GPTQ 4-bit", 4),
    ],
)
def test_names_and_bits(tmp_path: Path, own: dict[str, object], name: str, bits: float) -> None:
    found = of(tmp_path, {"quantization_config": own})
    assert found is not None
    assert found.name == name
    assert found.bits == pytest.approx(bits)


def test_groups_of_layers(tmp_path: Path) -> None:
    found = [
        of(tmp_path, groups(FLOAT4, quant_method="modelopt")),
        of(tmp_path, groups(FLOAT8, quant_method="compressed-tensors", format="float-quantized")),
        of(tmp_path, groups(FLOAT8, FLOAT4, quant_method="modelopt", quant_algo="MIXED_PRECISION")),
        of(tmp_path, groups({"num_bits": 4, "type": "float", "group_size": 32}, format="mxfp4-pack-quantized",
                            quant_method="compressed-tensors")),
        of(tmp_path, groups({"num_bits": 4, "type": "int", "group_size": 128}, quant_method="compressed-tensors")),
        of(tmp_path, groups({"num_bits": 8, "type": "int"}, quant_method="compressed-tensors")),
    ]  # fmt: skip
    names = [one.name if one else None for one in found]
    assert names == ["NVFP4", "FP8", "NVFP4 + FP8", "MXFP4", "W4A16 g128", "W8A16"]


def test_experts_alone(tmp_path: Path) -> None:
    some = of(tmp_path, groups(FLOAT4, quant_method="compressed-tensors", ignore=["lm_head", "re:.*self_attn.*"]))
    every = of(tmp_path, groups(FLOAT4, quant_method="compressed-tensors", ignore=["lm_head"]))
    assert some is not None and some.experts_only
    assert every is not None and not every.experts_only


def test_mlx(tmp_path: Path) -> None:
    both = {"group_size": 64, "bits": 4, "model.embed_tokens": {"group_size": 64, "bits": 6}}
    found = of(tmp_path, {"quantization": both, "quantization_config": None})
    assert found is not None
    assert (found.name, found.bits, found.is_mlx, found.has_tables) == ("MLX 4-bit g64", 4.5, True, True)


def test_files_of_quantisers_beside_the_configuration(tmp_path: Path) -> None:
    found = of(tmp_path, {}, quantize_config={"bits": 4, "group_size": 128})
    assert found is not None and found.name == "GPTQ 4-bit g128"
    found = of(tmp_path, {}, hf_quant_config={"quantization": {"quant_algo": "NVFP4", "group_size": 16}})
    assert found is not None and found.name == "NVFP4"


def test_weights_that_are_not_quantised_have_no_scheme(tmp_path: Path) -> None:
    assert of(tmp_path, {"torch_dtype": "bfloat16"}) is None


def test_a_name_cannot_command_the_terminal(tmp_path: Path) -> None:
    found = of(tmp_path, {"quantization_config": {"quant_method": "a\x1b[2Jb" + "c" * 5000}})
    assert found is not None
    assert found.name.isprintable() and len(found.name) < 60


@pytest.mark.parametrize("bits", [-4, -0.5, 0, 0.5, 33, 1e6, 1e300, True, "four", [], [4], {}, "4"])
@pytest.mark.parametrize("method", ["gptq", "awq", "exl2", "exl3", "a new one"])
def test_bits_that_no_weight_has_are_refused(tmp_path: Path, method: str, bits: object) -> None:
    with pytest.raises(BadModelFile, match=r"bits of the quantisation is .*: no number of bits from 1 to"):
        of(tmp_path, {"quantization_config": {"quant_method": method, "bits": bits}})


@pytest.mark.parametrize(("method", "bits"), [("gptq", 1), ("hqq", 32), ("exl3", 1.0), ("exl2", 16), ("gptq", None)])
def test_bits_at_the_ends_are_not(tmp_path: Path, method: str, bits: float | None) -> None:
    assert of(tmp_path, {"quantization_config": {"quant_method": method, "bits": bits}}) is not None


def test_very_many_groups_are_read_at_once(tmp_path: Path) -> None:
    one: dict[str, object] = {"num_bits": 4, "type": "int", "group_size": 128}
    start = time.perf_counter()
    found = of(tmp_path, groups(*[one] * 50_000, quant_method="compressed-tensors"))
    assert time.perf_counter() - start < 2
    assert found is not None and found.name == "W4A16 g128"


def test_exllama_has_no_more_than_16_bits(tmp_path: Path) -> None:
    with pytest.raises(BadModelFile, match="from 1 to 16"):
        of(tmp_path, {"quantization_config": {"quant_method": "exl2", "bits": 17}})


@pytest.mark.parametrize("bits", [-4, 0, 3.5, 64, "x"])
def test_bits_of_mlx_and_of_groups_are_whole(tmp_path: Path, bits: object) -> None:
    with pytest.raises(BadModelFile, match="of the quantisation is"):
        of(tmp_path, {"quantization": {"group_size": 64, "bits": bits}})
    with pytest.raises(BadModelFile, match="of the quantisation is"):
        of(tmp_path, groups({"num_bits": bits, "type": "int"}, quant_method="compressed-tensors"))


@pytest.mark.parametrize("own", ["x", 4, [], True])
def test_a_quantisation_that_is_no_object_is_refused(tmp_path: Path, own: object) -> None:
    with pytest.raises(BadModelFile, match="quantization_config is no object"):
        of(tmp_path, {"quantization_config": own})
