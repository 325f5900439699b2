"""Measures what the memory of NVIDIA GPUs sustains, one GPU after the other, each in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import DecodeError, Struct, ValidationError
from msgspec.json import decode

from ...sample import Device
from ..nvidia.probe import NvidiaProbe
from .bandwidth import spread
from .cuda_child import Answer
from .cuda_copy import Copied
from .cuda_occupied import occupied, users
from .device_measurement import DeviceMeasurement

PATIENCE_S = 30.0
"""For one GPU. It takes about three seconds; a driver that nobody uses takes some more to start on a large machine."""
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_LAST_S = 2.0
"""For a process that was killed: one that sits in the kernel does not end, and is left behind."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of one GPU."""

    device: Device
    measurement: DeviceMeasurement | None = None
    problem: str | None = None
    """Why there is none, in one line."""
    occupied: bool = False
    """Whether it was left alone because somebody uses it."""


def gpus() -> tuple[list[Device], str | None]:
    """The NVIDIA GPUs of this machine that can be measured or refused, and what keeps the driver silent."""
    readings = [probe.read() for probe in NvidiaProbe.detect()]
    problem = next((reading.problem for reading in readings if reading.problem), None)
    return measurable([device for reading in readings for device in reading.devices]), problem


def measurable(devices: Sequence[Device]) -> list[Device]:
    """Without those that are shared out: their instances have their memory."""
    parents = {device.parent for device in devices}
    return [device for device in devices if device.id not in parents]


def measure_gpu(device: Device, *, force: bool = False, patience_s: float = PATIENCE_S) -> Outcome:
    """Takes about three seconds, at most `patience_s` and a little; `force` also measures beside others' work."""
    if device.problem:
        return Outcome(device=device, problem=device.problem)
    if not device.uuid:
        return Outcome(device=device, problem="the driver does not tell its UUID, by which CUDA knows it")
    if not force and (who := occupied(device)):
        return Outcome(device=device, problem=who, occupied=True)
    answer = _asked(device.uuid, patience_s, *(["force"] if force else []))
    if answer.users:
        return Outcome(device=device, problem=users(answer.users), occupied=True)
    if answer.found is None:
        return Outcome(device=device, problem=answer.problem)
    return Outcome(device=device, measurement=_measurement(device, device.uuid, answer.found))


def _measurement(device: Device, uuid: str, found: Copied) -> DeviceMeasurement:
    return DeviceMeasurement(
        uuid=uuid,
        name=device.name,
        date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        copy_gbs=max(found.windows_gbs),
        spread=spread(found.windows_gbs),
        buffer_bytes=found.buffer_bytes,
        seconds=found.seconds,
        driver=device.driver or f"CUDA {found.cuda}",
    )


def _asked(uuid: str, patience_s: float, *more: str) -> Answer:
    """What the child says. It sees this GPU alone, unless the user has chosen already which ones are to be used."""
    environment = {_VISIBLE: uuid, **os.environ}
    command = [sys.executable, "-P", "-m", f"{__package__}.cuda_child", uuid, str(patience_s), *more]
    try:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as failed:
        return Answer(problem=f"cannot start {sys.executable}: {failed.strerror}")
    try:
        out, error = child.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        return Answer(problem=f"its driver did not answer within {patience_s:.0f} s")
    finally:
        _end(child)
    try:
        answer = decode(out, type=Answer)
    except (DecodeError, ValidationError):
        return Answer(problem=_ended(child.returncode, error))
    if (answer.problem or "").startswith("CUDA ") and _VISIBLE in os.environ:
        return Answer(problem=f"{answer.problem}; {_VISIBLE} is set to {os.environ[_VISIBLE][:80]!r}")
    return answer


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        child.kill()
        try:
            child.communicate(timeout=_LAST_S)
        except subprocess.TimeoutExpired:
            return


def _ended(code: int, error: bytes) -> str:
    last = error.decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
    how = f"signal {-code}" if code < 0 else f"code {code}"
    return f"the driver ended the measurement with {how}" + (f": {last}" if last else "")
