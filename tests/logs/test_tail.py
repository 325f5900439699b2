"""The end of a file that is written, rotated, cut and taken away: real files."""

import os
from pathlib import Path

import pytest
from llmtop.probes.logs.tail import LONGEST, MOST, Tail


def add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "engine.log"
    path.write_text("long ago\n")
    return path


def test_begins_at_the_end_and_gives_whole_lines(log: Path) -> None:
    tail = Tail(log)
    assert tail.lines() == []
    add(log, "one\ntw")
    assert tail.lines() == ["one"]
    add(log, "o\nthree\r")
    assert tail.lines() == ["two", "three"]


def test_follows_a_rotation_without_losing_a_line(log: Path) -> None:
    tail = Tail(log)
    tail.lines()
    add(log, "before\n")
    log.rename(log.with_suffix(".1"))
    add(log.with_suffix(".1"), "last words\n")
    log.write_text("after\n")
    assert tail.lines() == ["before", "last words", "after"]
    add(log, "and on\n")
    assert tail.lines() == ["and on"]


def test_a_file_that_was_cut_is_read_from_its_beginning(log: Path) -> None:
    tail = Tail(log)
    tail.lines()
    add(log, "a line that is quite long\n")
    tail.lines()
    log.write_text("new\n")
    assert tail.lines() == ["new"]


def test_gone_and_back(log: Path) -> None:
    tail = Tail(log)
    tail.lines()
    log.unlink()
    assert tail.lines() == []
    log.write_text("back\n")
    assert tail.lines() == ["back"]


def test_a_file_that_is_not_there_yet_is_read_from_its_end_once_it_is(tmp_path: Path) -> None:
    path = tmp_path / "later.log"
    tail = Tail(path)
    with pytest.raises(FileNotFoundError):
        tail.lines()
    path.write_text("old\n")
    assert tail.lines() == []
    add(path, "new\n")
    assert tail.lines() == ["new"]


def test_neither_a_flood_nor_an_endless_line_is_kept(log: Path) -> None:
    tail = Tail(log)
    tail.lines()
    add(log, "x" * 100 + "\n" + "y" * (3 * MOST) + "\nshort\n")
    assert tail.lines() == ["short"]
    for _ in range(10):
        add(log, "z" * LONGEST)
        assert tail.lines() == []
    add(log, "\nend\n")
    assert tail.lines()[-1] == "end"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path):
        with pytest.raises(OSError, match="no regular file"):
            Tail(path).lines()
