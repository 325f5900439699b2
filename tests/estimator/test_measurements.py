"""Rows of published measurements: what a file may hold, and what is said of what it may not."""

import os
import threading
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llmtop.estimator.measurements import METRICS, NEEDED, SHIPPED, BadRows, Measurement, load

HEADER = "id,hardware,engine,backend,model,quant,metric,value,batch,context,n_devices,n_prompt,n_gen,weight_gib,note\n"
GOOD = "a,RTX 4090,llama.cpp,cuda,Llama-2-7B,Q4_0,decode_tps,186.2,1,0,1,,128,3.56,by hand\n"


def _file(folder: Path, text: str) -> Path:
    path = folder / "rows.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    (row,) = load(_file(tmp_path, HEADER + GOOD))
    assert (row.id, row.hardware, row.engine, row.backend) == ("a", "RTX 4090", "llama.cpp", "cuda")
    assert (row.model, row.quant, row.metric, row.value) == ("Llama-2-7B", "Q4_0", "decode_tps", 186.2)
    assert (row.batch, row.context, row.n_devices, row.n_prompt, row.n_gen) == (1, 0, 1, None, 128)
    assert (row.weight_gib, row.note, row.problem) == (3.56, "by hand", None)


def test_the_order_of_columns_and_columns_of_others_do_not_matter(tmp_path: Path) -> None:
    names = ["colour", *reversed(NEEDED)]
    cells = {"id": "b", "hardware": " RTX 3090 ", "metric": "prefill_tps", "value": "12.5", "colour": "red"}
    text = ",".join(names) + "\n" + ",".join(cells.get(name, "x") for name in names) + "\n"
    (row,) = load(_file(tmp_path, text))
    assert (row.id, row.hardware, row.value, row.problem) == ("b", "RTX 3090", 12.5, None)
    assert (row.n_devices, row.batch, row.context, row.n_gen) == (1, 1, None, None)


def test_max_is_as_many_streams_as_fit_and_mixed_is_a_mean(tmp_path: Path) -> None:
    text = (
        HEADER
        + "a,h,e,b,m,q,throughput_tps,9,max,mixed,1,mixed,128,,\n"
        + "b,h,e,b,m,q,throughput_tps,9,mixed,,1,,,,\n"
    )
    most, mean = load(_file(tmp_path, text))
    assert (most.batch, most.context, most.n_prompt, most.problem) == (None, None, None, None)
    assert (mean.batch, mean.context, mean.problem) == (1, None, None)


def test_a_mark_of_the_byte_order_and_lines_of_windows_are_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"\xef\xbb\xbf" + (HEADER + GOOD).replace("\n", "\r\n").encode())
    (row,) = load(path)
    assert (row.id, row.note) == ("a", "by hand")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRows, match=r"rows\.csv: no column quant, value; the first line must name the columns"):
        load(_file(tmp_path, "id,hardware,engine,backend,model,metric\na,b,c,d,e,f\n"))
    with pytest.raises(BadRows, match="no column id, hardware"):
        load(_file(tmp_path, ""))


@pytest.mark.parametrize("broken", [b'a,b\n"open', b"a,b\n\xff\xfe", b'a,b\n"x"y,z'])
def test_a_file_that_is_no_csv_gives_one_line(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(HEADER.encode() + broken)
    with pytest.raises(BadRows, match=r"rows\.csv is no CSV file: ") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(BadRows, match=r"cannot read .*absent\.csv: No such file"):
        load(tmp_path / "absent.csv")
    with pytest.raises(BadRows, match=r"cannot read .*directory"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("cell", "column", "said"),
    [
        ("fast", "value", "line 3: value is 'fast'"),
        ("nan", "value", "line 3: value is 'nan'"),
        ("inf", "value", "line 3: value is 'inf'"),
        ("-5", "value", "line 3: value is '-5'"),
        ("1e15", "value", "line 3: value is '1e15'"),
        ("0", "value", "line 3: value must be a number above 0"),
        ("", "value", "line 3: value must be a number above 0"),
        ("1;024", "n_prompt", "line 3: n_prompt is '1;024'"),
        ("many", "batch", "line 3: batch is 'many'"),
        ("1_000", "value", "line 3: value is '1_000'"),
        ("٣", "value", "line 3: value is '٣'"),
        ("infinity", "context", "line 3: context is 'infinity'"),
        ("0", "n_devices", "line 3: n_devices must be a number above 0"),
        ("0", "batch", "line 3: batch must be a number above 0"),
        ("0.0", "weight_gib", "line 3: weight_gib must be a number above 0"),
    ],
)
def test_a_row_with_a_bad_number_says_its_line_and_keeps_the_others(
    tmp_path: Path, cell: str, column: str, said: str
) -> None:
    names = HEADER.strip().split(",")
    cells = [cell if name == column else old for name, old in zip(names, GOOD.strip().split(","), strict=True)]
    before, bad, after = load(_file(tmp_path, HEADER + GOOD + ",".join(cells) + "\n" + GOOD))
    assert before.problem is None and before.value == 186.2
    assert after.problem is None and after.value == 186.2
    assert bad.problem is not None and bad.problem.startswith(said)
    assert "\n" not in bad.problem


def test_a_row_may_be_too_short_or_too_long(tmp_path: Path) -> None:
    short, long = load(_file(tmp_path, HEADER + "a,RTX 4090\n" + GOOD.strip() + ",more,and more\n"))
    assert short.hardware == "RTX 4090" and short.model == ""
    assert short.problem is not None and "value must be a number above 0" in short.problem
    assert long.problem is None and long.value == 186.2


def test_a_power_limit_of_0_is_no_limit_at_all(tmp_path: Path) -> None:
    head = HEADER.replace("note", "power_limit_w")
    off, low = load(_file(tmp_path, head + GOOD.replace("by hand", "0") + GOOD.replace("by hand", "1.5e2")))
    assert off.problem == "line 2: power_limit_w must be a number above 0"
    assert (low.problem, low.power_limit_w) == (None, 150)


def test_no_cell_holds_what_a_terminal_obeys(tmp_path: Path) -> None:
    (row,) = load(_file(tmp_path, HEADER + GOOD.replace("a,", '"a\x1b[2J\nb\u202e",', 1)))
    assert row.id == "a [2J b"
    assert row.problem is None


@pytest.mark.parametrize(
    "content",
    ["x" * (1 << 19), '"' + "x\n" * (1 << 18), '"a\n",' * (1 << 17), "\n" * (1 << 19)],
    ids=["line", "cell of many lines", "row of many lines", "no row"],
)
def test_a_row_without_end_is_refused_in_bounded_memory(tmp_path: Path, content: str) -> None:
    path = _file(tmp_path, HEADER + GOOD + content)
    tracemalloc.start()
    try:
        with pytest.raises(BadRows, match="is no CSV file: "):
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_device_is_no_file_of_rows() -> None:
    with pytest.raises(BadRows, match=r"^/dev/zero is no regular file and no pipe$"):
        load(Path("/dev/zero"))


def test_rows_may_come_through_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(HEADER + GOOD,))
    writer.start()
    (row,) = load(path)
    writer.join()
    assert row.value == 186.2


def test_a_bad_cell_is_cut_and_stays_on_one_line(tmp_path: Path) -> None:
    (row,) = load(_file(tmp_path, HEADER + 'a,h,e,b,m,q,decode_tps,"' + "x\n" * 500 + '",1,0,1,,,,\n'))
    assert row.problem is not None
    assert len(row.problem) < 150 and "\n" not in row.problem


def _rows(path: Path) -> list[Measurement]:
    """The rows of a file; none where it is refused on one line."""
    try:
        return load(path)
    except BadRows as bad:
        said = str(bad)
    assert len(said.splitlines()) == 1
    return []


CELLS = st.one_of(st.text(max_size=12), st.sampled_from(["", "max", "mixed", '"', "1e400", "-1", "nan", "7", "\x00"]))


@given(st.one_of(st.text(max_size=300), st.lists(st.lists(CELLS, max_size=18).map(",".join)).map("\n".join)))
@settings(max_examples=150, deadline=None)
def test_any_text_gives_rows_or_one_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    for content in (text, HEADER + text):
        path.write_bytes(content.encode("utf-8", "surrogatepass"))
        for row in _rows(path):
            assert row.problem is not None or (row.value is not None and 0 < row.value < 1e15)
            assert row.problem is None or len(row.problem.splitlines()) == 1
            assert row.n_devices >= 1 and (row.batch is None or row.batch >= 1)


@given(st.binary(max_size=200))
@settings(max_examples=80, deadline=None)
def test_any_bytes_give_rows_or_one_line(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(HEADER.encode() + content)
    _rows(path)


def test_the_rows_that_ship_are_whole() -> None:
    rows = load(SHIPPED)
    assert len(rows) > 2000
    assert [row.problem for row in rows if row.problem] == []
    assert len({row.id for row in rows}) == len(rows)
    assert {row.metric for row in rows} <= {*METRICS, "achieved_gbs"}
    assert all(row.source for row in rows)
