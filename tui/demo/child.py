"""A process that the demo starts, and that never outlives it."""

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Self

from .error import DemoError

_PATIENCE = 3.0
_READ = 1 << 16
_ERROR = re.compile(r"^\S+ E\s+(?:\S+\s+\S+: )?(.+)$", re.MULTILINE)
"""Lines of llama.cpp such as "0.00.012.415 E srv         start: couldn't bind HTTP server socket"."""


class Child:
    """One module of this package, run by the same Python."""

    def __init__(self, module: str, arguments: list[str], folder: Path) -> None:
        """Starts it. What it prints goes into files without a name in `folder`, which go away with it.

        Its two outputs are kept apart: an engine logs from threads of its own, in the middle of another's line.

        Raises:
            DemoError: the system refuses.
        """
        package = __name__.rpartition(".")[0]
        root = __name__.partition(".")[0]
        above = Path(sys.modules[root].__path__[0]).parent
        search = os.pathsep.join(filter(None, [str(above), os.environ.get("PYTHONPATH", "")]))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with ExitStack() as stack:
                self._words = stack.enter_context(TemporaryFile(dir=folder, buffering=0))
                self._log = stack.enter_context(TemporaryFile(dir=folder, buffering=0))
                self._process = subprocess.Popen(  # noqa: S603 # our own module
                    [sys.executable, "-P", "-m", f"{package}.{module}", *arguments],
                    stdin=subprocess.PIPE,
                    stdout=self._words,
                    stderr=self._log,
                    env={**os.environ, "PYTHONPATH": search, "PYTHONUNBUFFERED": "1"},
                    process_group=0,
                )
                stack.pop_all()
        except OSError as error:
            raise DemoError(f"the demo cannot start a process with a log in {folder}: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def said(self, word: str) -> str | None:
        """The rest of the line it printed that begins with this word and a blank; None as long as there is none."""
        match = re.search(rf"^{re.escape(word)} (.+)\n", _printed(self._words), re.MULTILINE)
        return match[1] if match else None

    def reason(self) -> str:
        """Why it has ended, as far as its log tells, in one line."""
        text = _printed(self._log)
        errors = _ERROR.findall(text)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return errors[0].strip() if errors else lines[-1] if lines else f"exit code {self._process.returncode}"

    def stop(self) -> None:
        """Ends it and waits until it is gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._process.kill()
            self._process.wait()
            self._words.close()
            self._log.close()


def _printed(file: IO[bytes]) -> str:
    """The beginning of what a child wrote there. The position in the file is the child's: it is left where it is."""
    return os.pread(file.fileno(), _READ, 0).decode("utf-8", "replace")
