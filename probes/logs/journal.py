"""What a systemd unit writes to the journal, followed by `journalctl`."""

import os
import subprocess
import time

RETRY_S = 5.0
"""Seconds until a `journalctl` that ended is started again."""


class Journal:
    """Follows one unit of the system or of this user, from now on."""

    def __init__(self, unit: str) -> None:
        self._unit = unit if "." in unit else f"{unit}.service"
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._due = 0.0

    def lines(self) -> list[str]:
        """The lines that came since the last look.

        Raises:
            OSError: `journalctl` is not there, or does not show the journal; it is tried again after `RETRY_S`.
        """
        if self._process is None:
            if time.monotonic() < self._due:
                return []
            self._start()
        *whole, self._rest = (self._rest + self._read()).split(b"\n")
        return [line.decode(errors="replace") for line in whole if line]

    def stop(self) -> None:
        """Ends `journalctl`. Safe while another thread reads."""
        process = self._process
        if process is not None:
            process.kill()

    def _start(self) -> None:
        self._due = time.monotonic() + RETRY_S
        matches = [f"_SYSTEMD_UNIT={self._unit}", "+", f"_SYSTEMD_USER_UNIT={self._unit}"]
        command = ["journalctl", "--follow", "--lines=0", "--output=cat", "--no-pager", *matches]
        try:
            self._process = subprocess.Popen(  # noqa: S603  # no shell, and the unit stands within one argument
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except FileNotFoundError:
            raise OSError(0, "journalctl is not installed", f"journal:{self._unit}") from None
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)  # its only argument

    def _read(self) -> bytes:
        process = self._process
        if process is None or process.stdout is None:
            return b""
        found = process.stdout.read() or b""
        if process.poll() is not None:
            said = process.stderr.read() if process.stderr else b""
            process.wait()
            self._process = None
            if not found:
                words = (said or b"journalctl ended").decode(errors="replace").strip().splitlines()
                raise OSError(0, words[0], f"journal:{self._unit}")
        return found
