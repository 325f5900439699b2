"""Machines as text (tests/data/hardware): `path = content`, `path -> target of a link`, `NAME := folder for short`."""

import os
from pathlib import Path

_FOLDER = Path(__file__).parent.parent / "data/hardware"


class Box:
    """A root with the files of one machine, and a clock."""

    def __init__(self, root: Path, *names: str) -> None:
        self.root = root
        self.now = 5_000.0
        self._short: dict[str, str] = {}
        for name in names:
            for line in (_FOLDER / f"{name}.txt").read_text("utf-8").splitlines():
                if line and not line.startswith("#"):
                    self._line(line)

    def _line(self, line: str) -> None:
        if " := " in line:
            name, _, folder = line.partition(" := ")
            self._short[name] = folder
        elif " -> " in line:
            path, _, target = line.partition(" -> ")
            link = self.at(path)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(self.at(target), link.parent))
        else:
            path, _, content = line.partition(" =")
            self.put(path, content.strip().replace("\\n", "\n").replace("\\0", "\0"))

    def clock(self) -> float:
        """Its time."""
        return self.now

    def at(self, path: str) -> Path:
        """A file or folder, by its path or its short name."""
        head, _, tail = path.partition("/")
        return self.root / self._short.get(head, head) / tail if tail else self.root / self._short.get(head, head)

    def put(self, path: str, content: str | int) -> Path:
        """Writes one file."""
        file = self.at(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{content}\n", "utf-8")
        return file

    def add(self, path: str, more: int) -> None:
        """Counts further."""
        self.put(path, int(self.at(path).read_text()) + more)
