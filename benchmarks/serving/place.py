"""Where engines are installed: in the interpreter that runs this, or in virtual environments called after them."""

import os
import subprocess
import sys
import venv
from pathlib import Path

from .contract import HERE, Recipe

FOLDER = Path(os.environ.get("LLMTOP_ENGINES") or HERE.parent.parent / ".venv-engines")
"""Holds one virtual environment for each engine, `FOLDER/NAME/bin/python`."""
_VERSION = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"


def interpreter(recipe: Recipe, folder: Path = FOLDER) -> Path | None:
    """The interpreter that has the engine; None if none has."""
    here = folder.resolve() / recipe.name / "bin" / "python"
    return next((python for python in (here, Path(sys.executable)) if version(recipe, python)), None)


def version(recipe: Recipe, python: Path) -> str | None:
    """The version of the engine that this interpreter has; None if it has none."""
    if not python.exists():
        return None
    command = [str(python), "-c", _VERSION, recipe.distribution]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def install(recipe: Recipe, folder: Path = FOLDER) -> None:
    """Makes its virtual environment. Raises CalledProcessError."""
    home = folder / recipe.name
    venv.create(home, with_pip=True, clear=True)
    pip = [str(home / "bin" / "python"), "-m", "pip"]
    subprocess.run([*pip, "install", "--quiet", *recipe.needs], check=True)
    if recipe.unwanted:
        subprocess.run([*pip, "uninstall", "--quiet", "--yes", *recipe.unwanted], check=True)


def advice(recipe: Recipe) -> str:
    """What brings the engine."""
    return f"python benchmarks/engines.py --install {recipe.name}"
