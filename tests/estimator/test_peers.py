"""The formulas of other tools give what those tools print: benchmarks/peers.py is run on rows with known answers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "peers.py"
COLUMNS = "id,hardware,engine,backend,model,quant,weight_gib,n_gen,batch,context,metric,value\n"
ROWS = """\
dense,RTX 4090,llama.cpp,cuda,Qwen3-8B,Q4_K_M,4.68,,1,0,decode_tps,135
moe,RTX 4090,llama.cpp,cuda,Qwen3-30B-A3B,Q4_K_M,17.285,,1,0,decode_tps,200
moe 3090,RTX 3090,llama.cpp,cuda,Qwen3-30B-A3B,Q4_K_M,17.285,,1,0,decode_tps,200
mac,Apple M2 Ultra 76c,llama.cpp,metal,Llama-2-7B,Q4_0,3.563,512,1,0,decode_tps,90
batch,RTX 4090,llama.cpp,cuda,Qwen3-8B,Q4_K_M,4.68,,8,0,decode_tps,500
unknown,Abacus,llama.cpp,cpu,Qwen3-8B,Q4_K_M,4.68,,1,0,decode_tps,1
"""


def run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    path = tmp_path_factory.mktemp("peers") / "rows.csv"
    path.write_text(COLUMNS + ROWS)
    done = run(path, "--json")
    assert done.returncode == 0, done.stderr
    return {row["id"]: row["predicted_tps"] for row in json.loads(done.stdout)["rows"]}


def test_only_known_rows_at_batch_1_are_compared(predicted: dict[str, dict[str, float]]) -> None:
    assert set(predicted) == {"dense", "moe", "moe 3090", "mac"}


def test_llmfit_gives_what_the_program_prints(predicted: dict[str, dict[str, float]]) -> None:
    """Of `llmfit --profile P plan MODEL --context 4096 --quant Q4_K_M`, version 1.1.17, P with 24 GB at 1008 GB/s."""
    assert predicted["dense"]["llmfit"] == pytest.approx(135.37, rel=0.005)
    assert predicted["moe"]["llmfit"] == pytest.approx(146.73, rel=0.005)


def test_whichllm_gives_one_card_what_it_gives_another(predicted: dict[str, dict[str, float]]) -> None:
    """1008 / (18.56 GB x 0.05 x 1008 / 256) x 0.55: the bandwidth cancels out."""
    assert predicted["moe"]["whichllm"] == pytest.approx(256 / 18.56 / 0.05 * 0.55, rel=0.001)
    assert predicted["moe 3090"]["whichllm"] == pytest.approx(predicted["moe"]["whichllm"], rel=1e-9)


def test_gguf_parser_gives_what_its_readme_prints(predicted: dict[str, dict[str, float]]) -> None:
    """174.62 for a 7B Q4_0 with a context of 512 on an M2 Ultra, taken there to have 819.2 GB/s."""
    assert predicted["mac"]["gguf-parser"] == pytest.approx(174.62 * 800 / 819.2, rel=0.01)


def test_the_rule_of_thumb_is_one_division(predicted: dict[str, dict[str, float]]) -> None:
    assert predicted["dense"]["rule of thumb"] == pytest.approx(1008e9 / (4.68 * 2**30), rel=0.002)
    assert predicted["dense"]["ideal roofline"] > predicted["dense"]["rule of thumb"]


def test_a_file_that_is_none_gives_one_line(tmp_path: Path) -> None:
    done = run(tmp_path / "absent.csv")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "absent.csv" in done.stderr
