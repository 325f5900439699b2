"""An emulated engine that starts real ones: a process of its name, told what to answer and what to start."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from llmtop.estimator.snapshot import EngineView
from llmtop.tui.live import Live

from ..demo.processes import wait_for
from ..real.engine import SERVE, Server, free_port
from .conftest import ASKED_OF_ALL, FORBIDDEN

PARENT = Path(__file__).parent / "parent.py"


class Child(Server):
    """A real llama-server that somebody else has started."""

    def __init__(self, pid: int, port: int) -> None:
        super().__init__(Path())
        self._pid, self.port = pid, port
        self.url = f"http://127.0.0.1:{port}"

    @property
    def pid(self) -> int:
        return self._pid

    def wait(self) -> None:
        """Until it answers that it is ready."""
        assert wait_for(self._healthy, 60), "the server does not come up"


class Parent:
    """The process that stands before the engines."""

    def __init__(
        self,
        folder: Path,
        program: str,
        paths: frozenset[str],
        *,
        script: str = "serve",
        headers: Mapping[str, str] = {},
    ) -> None:
        """Nothing is started yet.

        Args:
            folder: an empty one, for its program, its script and the trace of what it is asked.
            program: its name.
            paths: all that llmtop may ask of it, beside what it may ask of anybody.
            script: its first argument.
            headers: those of all its answers.
        """
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder, self._paths, self._headers = folder, paths, dict(headers)
        self._program = folder / program
        self._program.symlink_to(Path(sys.executable).resolve())
        (folder / script).write_bytes(PARENT.read_bytes())
        self._script = script
        self._process: subprocess.Popen[str] | None = None
        self._trace = folder / "trace"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self.check()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def paths(self) -> list[str]:
        return [line.split(" ")[1] for line in self._trace.read_text().splitlines()] if self._trace.exists() else []

    def start(self) -> None:
        command = [str(self._program), self._script, str(self.port), str(self._trace)]
        self._process = subprocess.Popen(
            command,
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "0\n"
        self._order({"headers": self._headers})

    def answers(self, answers: Mapping[str, object]) -> None:
        """What it says from now on, by path: texts as they are, the rest as JSON."""
        bodies = {path: body if isinstance(body, str) else json.dumps(body) for path, body in answers.items()}
        self._order({"answers": bodies})

    def load(self, model: Path, *flags: str) -> Child:
        """Starts a real llama-server, which is not ready yet when this returns."""
        port = free_port()
        return Child(self.spawn([sys.executable, str(SERVE), str(model), str(port), *flags]), port)

    def spawn(self, command: Sequence[str]) -> int:
        return self._order({"start": list(command)})

    def unload(self, child: Child) -> None:
        self._order({"end": child.pid})

    def kill(self) -> None:
        """At once, with nobody to bury its children."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """With its children."""
        if self._process is not None and self._process.poll() is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(10)

    def check(self) -> None:
        """Fails when it was asked anything that it may not be asked."""
        lines = self._trace.read_text().splitlines() if self._trace.exists() else []
        assert all(line.startswith("GET ") for line in lines), lines
        asked = set(self.paths)
        assert asked <= self._paths | ASKED_OF_ALL, asked
        assert asked.isdisjoint(FORBIDDEN)

    def _order(self, order: Mapping[str, object]) -> int:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


class Watch:
    """llmtop beside it, told of the host alone."""

    def __init__(self, host: Parent, *, interval: float = 0.25) -> None:
        self._live = Live([host.url], interval=interval, window=2.0, discover=False)

    def __enter__(self) -> Self:
        self._live.start()
        self._live.settle()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    @property
    def rows(self) -> tuple[EngineView, ...]:
        return self._live.snapshot().engines

    def until(self, seconds: float, **facts: object) -> EngineView:
        """The only row, as soon as it has these facts; `model` is its name."""
        deadline = time.monotonic() + seconds
        while True:
            rows = self.rows
            if len(rows) == 1 and all(_fact(rows[0], name) == value for name, value in facts.items()):
                return rows[0]
            assert time.monotonic() < deadline, (facts, rows)
            time.sleep(0.05)


def _fact(row: EngineView, name: str) -> object:
    if name == "model":
        return row.model and row.model.name
    return getattr(row, name)
