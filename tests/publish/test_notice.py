"""Notices: found by the monitor, gone with their process, and not to be forged by others."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from llmtop.probes.publish import notice as notices
from llmtop.probes.publish.notice import Notice, announce, announced, withdraw

HOLDER = """
import sys
from llmtop.probes.publish.publisher import Publisher
publisher = Publisher("hook")
publisher.start()
print(publisher.url, publisher.announced, flush=True)
sys.stdin.read()
"""
SOURCES = str(Path(__file__).parents[2] / ".src")


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def holder(runtime: Path) -> tuple[subprocess.Popen[str], str]:
    environment = {"PYTHONPATH": SOURCES, "XDG_RUNTIME_DIR": str(runtime)}
    command = [sys.executable, "-c", HOLDER]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    url, told = process.stdout.readline().split()
    assert told == "True"
    return process, url


def urls() -> set[str]:
    return {notice.url for notice in announced()}


def ours() -> set[str]:
    """Those of this file: other tests publish from this process too."""
    return {url for url in urls() if any(part in url for part in (":400", "evil", "10.0.0.1", ":99999"))}


def told(**changed: object) -> str:
    own = {"schema": 1, "pid": os.getpid(), "started": None, "url": "http://127.0.0.1:4000", "observer": "hook"}
    return json.dumps(own | changed)


def test_a_process_is_found_while_it_runs(runtime: Path) -> None:
    process, url = holder(runtime)
    [found] = [notice for notice in announced() if notice.url == url]
    assert (found.pid, found.observer) == (process.pid, "hook")
    assert found.started is not None
    process.communicate("")
    assert process.returncode == 0
    assert list((runtime / "llmtop").iterdir()) == []
    assert url not in urls()


def test_a_process_that_was_killed_is_not_found_and_its_notice_is_taken_away(runtime: Path) -> None:
    process, url = holder(runtime)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    [left] = (runtime / "llmtop").iterdir()
    assert url not in urls()
    assert not left.exists()


@pytest.mark.usefixtures("runtime")
def test_a_pid_that_was_given_again_is_another_process() -> None:
    file = announce("http://127.0.0.1:4000", "proxy")
    [found] = [notice for notice in announced() if notice.url == "http://127.0.0.1:4000"]
    assert found == Notice(os.getpid(), found.started, "http://127.0.0.1:4000", "proxy")
    file.write_text(told(started=(found.started or 0) + 1), encoding="utf-8")
    assert "http://127.0.0.1:4000" not in urls()
    assert not file.exists()
    withdraw(file)


def test_files_and_folders_are_their_owners_alone(runtime: Path) -> None:
    file = announce("http://127.0.0.1:4000", "proxy")
    assert file.parent == runtime / "llmtop"
    assert (file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    withdraw(file)
    assert not file.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "http://10.0.0.1:4000"},
        {"url": "http://127.0.0.1:4000/metrics"},
        {"url": "http://127.0.0.1:4000@evil.example"},
        {"url": "http://127.0.0.1:99999"},
        {"url": "https://127.0.0.1:4000"},
        {"observer": "another"},
        {"pid": 0},
        {"pid": -1},
        {"pid": "1"},
        {"schema": 2},
        {"started": "x"},
    ],
)
@pytest.mark.usefixtures("runtime")
def test_what_is_not_a_notice_is_not_believed(changed: dict[str, object]) -> None:
    announce("http://127.0.0.1:4001", "hook").write_text(told(**changed), encoding="utf-8")
    assert not ours()


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "[" * 4000, "x" * 100_000, "\0\xff"])
@pytest.mark.usefixtures("runtime")
def test_broken_files_do_no_harm(text: str) -> None:
    announce("http://127.0.0.1:4001", "hook").write_text(text, encoding="latin-1")
    assert not ours()


@pytest.mark.usefixtures("runtime")
def test_what_is_no_plain_file_is_left_alone(tmp_path: Path) -> None:
    folder = announce("http://127.0.0.1:4000", "hook").parent
    outside = tmp_path / "outside.json"
    outside.write_text(told(url="http://127.0.0.1:4002"), encoding="utf-8")
    (folder / "12-4002.json").symlink_to(outside)
    os.mkfifo(folder / "13-4003.json")
    (folder / "14-4004.json").mkdir()
    (folder / "notes.json").write_text(told(url="http://127.0.0.1:4005"), encoding="utf-8")
    assert ours() == {"http://127.0.0.1:4000"}
    assert outside.exists()


def test_a_folder_that_is_a_link_or_open_to_others_is_not_used(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    others, own = tmp_path / "others", tmp_path / "own"
    others.mkdir(mode=0o700)
    (runtime / "llmtop").symlink_to(others)
    monkeypatch.setattr("tempfile.tempdir", str(own))
    own.mkdir()
    folder = own / f"llmtop-{os.geteuid()}"
    first = announce("http://127.0.0.1:4000", "hook")
    assert first.parent == folder or not str(first).startswith(str(tmp_path))
    assert list(others.iterdir()) == []
    if first.parent == folder:
        folder.chmod(0o770)
        assert "http://127.0.0.1:4000" not in urls()
        folder.chmod(0o700)
        assert "http://127.0.0.1:4000" in urls()
    withdraw(first)


def test_no_folder_at_all_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(notices, "_folders", lambda: iter([tmp_path / "not" / "there" / "llmtop"]))
    with pytest.raises(OSError, match="not/there"):
        announce("http://127.0.0.1:4000", "hook")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to others")
@pytest.mark.usefixtures("runtime")
def test_a_notice_in_a_folder_of_another_user_is_that_users() -> None:
    file = announce("http://127.0.0.1:4000", "hook")
    os.chown(file, 12345, 12345)
    assert "http://127.0.0.1:4000" not in urls()
    os.chown(file.parent, 12345, 12345)
    assert "http://127.0.0.1:4000" not in urls()  # the process is root's
    another = announce("http://127.0.0.1:4000", "hook")
    assert another.parent != file.parent
    withdraw(another)


def test_where_nothing_temporary_can_be_written_the_runtime_folder_still_is(
    monkeypatch: pytest.MonkeyPatch, runtime: Path
) -> None:
    def nowhere() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(notices, "gettempdir", nowhere)
    notice = announce("http://127.0.0.1:4001", "hook")
    assert notice.parent == runtime / "llmtop"
    assert "http://127.0.0.1:4001" in urls()
    withdraw(notice)
