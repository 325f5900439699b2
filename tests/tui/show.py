"""Shows a made-up scene in the terminal: show.py SCENE [--replay] [--theme=NAME]."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / ".src"), str(ROOT)]

from llmtop.tui.app import LlmTop  # noqa: E402

from tests.tui.fakes import FakeFeed  # noqa: E402
from tests.tui.scenes import SCENES  # noqa: E402


def main() -> None:
    """Runs the app on the scene."""
    flags = {argument for argument in sys.argv[1:] if argument.startswith("-")}
    words = [argument for argument in sys.argv[1:] if not argument.startswith("-")] or ["mixed"]
    made = [SCENES[words[0]](tick) for tick in range(90)]
    app = LlmTop(FakeFeed(lambda tick: made[tick % len(made)], replay="--replay" in flags), version="0.1.0")
    for flag in flags:
        if flag.startswith("--theme="):
            app.theme = flag.removeprefix("--theme=")
    app.run()


if __name__ == "__main__":
    main()
