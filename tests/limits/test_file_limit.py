"""Limits that are files of the kernel."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from llmtop.probes.limits.contract import Forbidden, LimitError, Vanished
from llmtop.probes.limits.file import FileLimit, lasting

CARD = "sys/devices/pci0000:00/0000:00:03.1/0000:0d:00.0"


@pytest.fixture
def cap(tmp_path: Path) -> Path:
    """`power1_cap` of an RX 7900 XTX, as root sees it."""
    hwmon = tmp_path / CARD / "hwmon/hwmon4"
    hwmon.mkdir(parents=True)
    (hwmon / "power1_cap").write_text("303000000\n")
    return hwmon / "power1_cap"


@pytest.fixture
def limit(cap: Path) -> FileLimit:
    return FileLimit(lasting(cap), "amd0", "RX 7900 XTX", min_w=272, max_w=348, default_w=303)


@pytest.fixture
def rapl(tmp_path: Path) -> FileLimit:
    zone = tmp_path / "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0"
    zone.mkdir(parents=True)
    (zone / "constraint_0_power_limit_uw").write_text("225000000\n")
    return FileLimit(lasting(zone / "constraint_0_power_limit_uw"), "cpu", "Xeon")


def refuse(number: int) -> Callable[..., int]:
    """A system call that fails."""

    def call(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    return call


def test_microwatts_go_in_and_come_out(cap: Path, limit: FileLimit) -> None:
    assert limit.read() == 303
    assert limit.write(275.5) == 275.5
    assert cap.read_text() == "275500000\n"


def test_the_number_of_hwmon_may_change(cap: Path, limit: FileLimit) -> None:
    assert limit.address.at.endswith(f"{CARD}/hwmon/hwmon*/power1_cap")
    limit.write(280)
    cap.parent.rename(cap.parent.with_name("hwmon11"))
    assert limit.read() == 280
    assert limit.write(290) == 290
    there = cap.parent.with_name("hwmon11") / "power1_cap"
    assert there.read_text() == "290000000\n"
    assert limit.command(250) == f"echo 250000000 | sudo tee {there}"


def test_a_link_is_followed_to_the_device(tmp_path: Path, cap: Path) -> None:
    link = tmp_path / "sys/class/drm/card0"
    link.mkdir(parents=True)
    (link / "device").symlink_to(tmp_path / CARD)
    limit = FileLimit(lasting(link / "device/hwmon/hwmon4/power1_cap"), "amd0", "RX 7900 XTX")
    assert limit.address.at.endswith(f"{CARD}/hwmon/hwmon*/power1_cap")
    assert cap.exists()
    assert limit.read() == 303


@pytest.mark.parametrize("watts", [271, 349, 0])
def test_nothing_outside_the_range_is_written(cap: Path, limit: FileLimit, watts: float) -> None:
    with pytest.raises(LimitError, match=f"{watts} W is outside of what its vendor allows, 272 to 348 W"):
        limit.write(watts)
    assert cap.read_text() == "303000000\n"


def test_0_is_written_to_none(rapl: FileLimit) -> None:
    with pytest.raises(LimitError, match="0 W is no power limit"):
        rapl.write(0)
    assert rapl.read() == 225


def test_what_it_was_may_be_put_back_whatever_the_range(cap: Path) -> None:
    cap.write_text("400000000\n")
    limit = FileLimit(lasting(cap), "amd0", "RX 7900 XTX", min_w=272, max_w=348)
    assert limit.read() == 400
    assert limit.write(300) == 300
    assert limit.write(400) == 400


def test_one_that_is_switched_off(cap: Path, limit: FileLimit) -> None:
    cap.write_text("0\n")
    with pytest.raises(LimitError, match="switched off"):
        limit.read()


@pytest.mark.parametrize("text", ["", "many", "-1", "1" * 30])
def test_nonsense(cap: Path, limit: FileLimit, text: str) -> None:
    cap.write_text(text)
    with pytest.raises(LimitError, match="is no power limit"):
        limit.read()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_who_may_not_is_told_the_command(
    cap: Path, limit: FileLimit, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    limit.read()
    monkeypatch.setattr(os, "open", refuse(number))
    with pytest.raises(Forbidden, match=rf"echo 300000000 \| sudo tee {cap} sets it$"):
        limit.write(300)


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.EINVAL, LimitError, "does not take 300 W, 272 to 348 W"),
        (errno.ENODEV, Vanished, "is gone"),
        (errno.EPERM, Forbidden, "does not let its power limit be set now"),
        (errno.EIO, LimitError, "cannot be used: Input/output error"),
    ],
)
def test_what_the_driver_answers(
    limit: FileLimit, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[LimitError], words: str
) -> None:
    monkeypatch.setattr(os, "write", refuse(number))
    with pytest.raises(LimitError, match=words) as caught:
        limit.write(300)
    assert type(caught.value) is kind
    assert limit.read() == 303


def test_a_card_that_is_gone(cap: Path, limit: FileLimit) -> None:
    cap.unlink()
    cap.parent.rmdir()
    for use in (limit.read, lambda: limit.write(300)):
        with pytest.raises(Vanished, match="is gone, and the device with it"):
            use()
    assert limit.command(300).startswith("echo 300000000 | sudo tee /")


def test_a_lock_of_the_firmware_that_takes_the_write(rapl: FileLimit, monkeypatch: pytest.MonkeyPatch) -> None:
    def take(_: int, data: bytes) -> int:
        return len(data)

    monkeypatch.setattr(os, "write", take)
    with pytest.raises(LimitError, match=r"stayed at 225 W; the firmware has locked it \(see its setup\)$"):
        rapl.write(180)


def test_a_lock_of_the_firmware_that_the_kernel_knows_of(rapl: FileLimit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", refuse(errno.EACCES))
    with pytest.raises(LimitError, match="the firmware has locked its power limit"):
        rapl.write(180)


@pytest.mark.parametrize("at", ["/etc/passwd", "power1_cap", "/sys/class/hwmon/hwmon0/pwm1"])
def test_only_power_limits_are_written(at: str) -> None:
    limit = FileLimit(at, "amd0", "RX 7900 XTX")
    with pytest.raises(LimitError, match="is no power limit"):
        limit.write(100)
