"""The screens as a person reads them. LLMTOP_WRITE_SCREENS=1 writes them anew, to be read before they are kept."""

import os
from pathlib import Path

import pytest
from llmtop.tui.app import LlmTop

from .fakes import FakeFeed
from .scenes import SCENES
from .screen import text

KEPT = Path(__file__).parent / "screens"
SIZES = ((80, 24), (120, 40), (200, 60))
REPLAYED = "replayed"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", [*SCENES, REPLAYED])
async def test_screen(name: str, size: tuple[int, int]) -> None:
    feed = FakeFeed(SCENES["busy" if name == REPLAYED else name], interval=3600.0, replay=name == REPLAYED)
    app = LlmTop(feed, version="1.2.3")
    async with app.run_test(size=size) as pilot:
        app.period = 1.0
        await pilot.pause()
        shown = text(app)
    path = KEPT / f"{name}-{size[0]}x{size[1]}.txt"
    if os.environ.get("LLMTOP_WRITE_SCREENS"):
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")
    assert len(shown.splitlines()) == size[1]


@pytest.mark.parametrize("key", ["question_mark", "d", "m"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_dialog(key: str, size: tuple[int, int]) -> None:
    app = LlmTop(FakeFeed(SCENES["mixed"], interval=3600.0), version="1.2.3")
    async with app.run_test(size=size) as pilot:
        app.period = 1.0
        await pilot.press(key)
        await pilot.pause()
        shown = text(app)
    path = KEPT / f"dialog-{key}-{size[0]}x{size[1]}.txt"
    if os.environ.get("LLMTOP_WRITE_SCREENS"):
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")
