"""`llmtop accuracy`: rows in, figures and reasons out."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from llmtop.tui.accuracy import accuracy
from llmtop.tui.arguments import parser
from llmtop.tui.refusal import Refusal

HEAD = (
    "id,hardware,n_devices,engine,backend,model,quant,n_prompt,n_gen,batch,context,"
    "metric,value,power_limit_w,source,note\n"
)
GOOD = "a,RTX 4090,1,llama.cpp,cuda,Llama-2-7B,Q4_0,,128,1,0,decode_tps,186.21,,there,\n"
PROMPT = "b,RTX 4090,1,llama.cpp,cuda,Llama-2-7B,Q4_0,512,,1,0,prefill_tps,11992.7,,there,\n"
STRANGE = "c,Abacus 9000,1,llama.cpp,cuda,Llama-2-7B,Q4_0,,128,1,0,decode_tps,7,,there,\n"


def run(*flags: str) -> int:
    return accuracy(parser().parse_args(["accuracy", *flags]))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(HEAD + GOOD + PROMPT + STRANGE, encoding="utf-8")
    return path


def test_each_row_with_its_prediction(rows: Path, tmp_path: Path) -> None:
    assert run(str(rows), "--out", str(tmp_path / "out.csv")) == 0
    with (tmp_path / "out.csv").open(newline="") as file:
        read = csv.DictReader(file)
        first, second, third = list(read)
        assert read.fieldnames == ["id", "metric", "value", "predicted", "low", "high", "problem"]
    assert (first["id"], first["metric"], first["value"], first["problem"]) == ("a", "decode_tps", "186.21", "")
    assert float(first["low"]) < float(first["predicted"]) < float(first["high"])
    assert float(first["predicted"]) == pytest.approx(186.21, rel=0.2)
    assert float(second["predicted"]) == pytest.approx(11992.7, rel=0.3)
    assert (third["predicted"], third["low"], third["high"]) == ("", "", "")
    assert "Abacus 9000" in third["problem"]


def test_json_keeps_the_contract(rows: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(str(rows), "--json") == 0
    found: dict[str, Any] = json.loads(capsysbinary.readouterr().out)
    assert (found["schema"], found["rows"], found["answered"]) == (1, 3, 2)
    assert found["overall"]["devices"] == 1
    assert 0 <= found["overall"]["median_error"] < 0.3
    classes = found["groups"]
    assert (classes["decode, llama.cpp, one device"]["rows"], classes["decode, llama.cpp, one device"]["answered"]) == (
        2,
        1,
    )
    assert classes["prefill, llama.cpp, one device"]["answered"] == 1
    assert classes["throughput, dense"]["median_error"] is None
    ((reason, times),) = found["problems"].items()
    assert times == 1
    assert "Abacus 9000" in reason


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("metric", {"decode_tps", "prefill_tps"}),
        ("device", {"RTX 4090", "Abacus 9000"}),
        ("engine", {"llama.cpp"}),
        ("source", {"there"}),
    ],
)
def test_told_apart_by(rows: Path, by: str, names: set[str], capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    run(str(rows), "--json", "--by", by)
    assert set(json.loads(capsysbinary.readouterr().out)["groups"]) == names


def test_the_shipped_rows_are_said_to_be_the_fitted_ones(
    rows: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run() == 0
    said = capsys.readouterr().out
    assert "docs/accuracy.md" in said
    assert "decode, llama.cpp, one device" in said
    assert [line for line in said.splitlines() if len(line) > 80] == []
    run(str(rows))
    assert "docs/accuracy.md" not in capsys.readouterr().out


def test_nothing_is_written_over(rows: Path, tmp_path: Path) -> None:
    before = rows.read_text()
    with pytest.raises(Refusal, match="is there already"):
        run(str(rows), "--out", str(rows))
    assert rows.read_text() == before
    empty = tmp_path / "empty.csv"
    empty.touch()
    assert run(str(rows), "--out", str(empty)) == 0
    assert empty.read_text().count("\n") == 4


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot read"), (b"", "no column"), (b"id,value\n1,2\n", "no column hardware"), (b"\xff\xfe\x00", "CSV")],
)
def test_rows_that_cannot_be_read(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "rows.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Refusal, match=words):
        run(str(path))


def test_a_place_that_cannot_be_written(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot write"):
        run(str(rows), "--out", str(tmp_path / "nowhere" / "out.csv"))
