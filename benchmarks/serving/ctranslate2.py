"""CTranslate2: a library, watched from within by `llmtop.hook`."""

import subprocess
from pathlib import Path
from typing import Any, ClassVar

from .contract import HERE, INSIDE, Start, Through

SOURCES = HERE.parent.parent / ".src"


class CTranslate2:
    name: ClassVar[str] = "ctranslate2"
    needs: ClassVar[tuple[str, ...]] = ("ctranslate2",)
    distribution: ClassVar[str] = "ctranslate2"
    unwanted: ClassVar[tuple[str, ...]] = ()
    through: ClassVar[Through] = "hook"
    window_s: ClassVar[float] = 10.0
    streams: ClassVar[int] = 1

    def start(self, python: Path, folder: Path, port: int) -> Start:
        del port
        model = folder / "small"
        model.mkdir()
        subprocess.run([str(python), str(INSIDE / "ctranslate2_model.py"), str(model)], check=True)
        return Start(
            command=(str(python), str(INSIDE / "ctranslate2_loop.py"), str(model), str(folder / "moments")),
            url="",
            settings={"PYTHONPATH": str(SOURCES)},
        )

    def question(self, number: int) -> tuple[str, dict[str, Any]]:
        raise NotImplementedError  # nobody asks a library

    def count(self, line: bytes, before: int) -> int:
        raise NotImplementedError
