"""One llmtop at a time, whoever runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from llmtop.probes.limits import lock
from llmtop.probes.limits.contract import Address, LimitError
from llmtop.probes.limits.lock import DeviceLock, Locked

GPU = Address(kind="nvml", at="GPU-1")
OTHER = Address(kind="nvml", at="GPU-2")


def test_taken_once(tmp_path: Path) -> None:
    held = DeviceLock(GPU, "RTX 4090", tmp_path)
    with pytest.raises(Locked) as caught:
        DeviceLock(GPU, "RTX 4090", tmp_path)
    assert caught.value.pid == os.getpid()
    DeviceLock(OTHER, "RTX 3090", tmp_path).release()
    held.release()
    DeviceLock(GPU, "RTX 4090", tmp_path).release()


def test_a_child_that_inherits_it_holds_it(tmp_path: Path) -> None:
    held = DeviceLock(GPU, "RTX 4090", tmp_path)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=held.descriptors) as child:
        held.release()
        with pytest.raises(Locked):
            DeviceLock(GPU, "RTX 4090", tmp_path)
        child.communicate(b"\n")
    DeviceLock(GPU, "RTX 4090", tmp_path).release()


def test_a_user_minds_the_lock_of_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "SYSTEM", tmp_path / "system")
    held = DeviceLock(GPU, "RTX 4090", tmp_path / "system")
    with pytest.raises(Locked):
        DeviceLock(GPU, "RTX 4090", tmp_path / "user")
    held.release()
    DeviceLock(GPU, "RTX 4090", tmp_path / "user").release()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    DeviceLock(GPU, "RTX 4090", tmp_path).release()
    (file,) = tmp_path.iterdir()
    file.unlink()
    precious = tmp_path / "precious"
    precious.write_text("kept")
    file.symlink_to(precious)
    with pytest.raises(LimitError, match="cannot be opened"):
        DeviceLock(GPU, "RTX 4090", tmp_path)
    assert precious.read_text() == "kept"
