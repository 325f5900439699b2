"""Whether llmtop shows the speed of real engines: its decode rate beside the count of streaming clients.

    python benchmarks/engines.py [NAME...] [--windows 3] [--install NAME] [--keep]

Each engine that is installed is started on random weights made on the spot, gets clients and is watched by llmtop's
live monitor. The median of some windows of 10 s is printed (one of 60 s where the engine publishes every 10 s). Engines
live in this interpreter or each in a virtual environment of its own (--venvs, LLMTOP_ENGINES); `--install` makes one.
Those that tell nothing themselves are read through `llmtop proxy`, libraries through `llmtop.hook`.
The exit code is 1 when a rate is more than 3 % off or cannot be had.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / ".src"), str(ROOT / "benchmarks")]

from serving import RECIPES  # noqa: E402
from serving.contract import Recipe  # noqa: E402
from serving.measure import Found  # noqa: E402
from serving.place import FOLDER, advice, install, interpreter, version  # noqa: E402
from serving.run import compare  # noqa: E402
from serving.server import BadStartError  # noqa: E402

ALLOWED = 0.03
HEADER = f"{'engine':17} {'version':16} {'llmtop':>8} {'clients':>8} {'off':>7}  {'over':>6}  liveness  source"


@contextmanager
def workplace(*, keep: bool) -> Generator[Path]:
    """A folder for models and logs."""
    if keep:
        yield Path(tempfile.mkdtemp(prefix="llmtop-engines-"))
        return
    with tempfile.TemporaryDirectory(prefix="llmtop-engines-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def row(recipe: Recipe, installed: str, found: Found) -> tuple[str, bool]:
    """One line of the table, and whether it is as it should be."""
    view, pair = found.view, found.middle
    if view is None or pair is None:
        said = "no row" if view is None else f"{view.engine}: {view.status}, {view.problem or 'no decode rate'}"
        return f"{recipe.name:17} {installed:16} {said}", False
    about = "~" if view.about else " "
    line = (
        f"{recipe.name:17} {installed:16} {pair.seen_tps:8.2f}{pair.counted_tps:9.2f} {pair.difference:7.2%}"
        f"  {pair.window_s:5.1f}s  {about}{view.liveness or '-':8} {view.engine}: {view.decode_source}"
    )
    return line, abs(pair.difference) <= ALLOWED


def main() -> int:
    """Runs the engines that are named, or all that are installed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [recipe.name for recipe in RECIPES]
    options.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    options.add_argument("--windows", type=int, default=3, help="windows of 10 s; of 60 s there is one")
    options.add_argument("--venvs", type=Path, default=FOLDER, help="folder of the virtual environments")
    options.add_argument("--install", action="append", default=[], choices=names, help="make its virtual environment")
    options.add_argument("--keep", action="store_true", help="leave models and logs where they are")
    asked = options.parse_args()
    if unknown := set(asked.names) - set(names):
        options.error(f"no engine {', '.join(sorted(unknown))}: there are {', '.join(names)}")
    for recipe in RECIPES:
        if recipe.name in asked.install:
            install(recipe, asked.venvs)
    wanted = [recipe for recipe in RECIPES if recipe.name in (asked.names or asked.install or names)]
    good = True
    print(HEADER, flush=True)
    for recipe in wanted:
        python = interpreter(recipe, asked.venvs)
        if python is None:
            print(f"{recipe.name:17} not installed: {advice(recipe)}", flush=True)
            good = good and recipe.name not in asked.names
            continue
        with ExitStack() as stack:
            folder = stack.enter_context(workplace(keep=asked.keep))
            try:
                line, right = row(
                    recipe, version(recipe, python) or "", compare(recipe, python, folder, windows=asked.windows)
                )
            except (BadStartError, TimeoutError, subprocess.CalledProcessError) as error:
                line, right = f"{recipe.name:17} {error}", False
            if asked.keep:
                print(f"{recipe.name:17} {folder}")
        print(line, flush=True)
        good = good and right
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
