"""What the keys and the mouse do."""

from pathlib import Path

import pytest
from llmtop.tui.app import LlmTop
from llmtop.tui.commands import COMMANDS
from llmtop.tui.screens.confirm import ConfirmMeasure
from llmtop.tui.screens.help import Help
from llmtop.tui.screens.inspect import Inspect
from llmtop.tui.widgets.engines import Engines
from llmtop.tui.widgets.focus import Focus
from llmtop.tui.widgets.keys import Keys
from llmtop.tui.widgets.log import Log
from llmtop.tui.widgets.panel import Panel
from textual.command import CommandPalette
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from .fakes import FakeFeed
from .scenes import SCENES
from .screen import text

SIZE = (120, 40)


def monitor(scene: str = "mixed", *, replay: bool = False) -> LlmTop:
    return LlmTop(FakeFeed(SCENES[scene], interval=3600.0, replay=replay), version="1.2.3")


def fake(app: LlmTop) -> FakeFeed:
    assert isinstance(app.feed, FakeFeed)
    return app.feed


def urls(app: LlmTop) -> list[str]:
    return [view.url for view in app.query_one(Engines).views]


def pictures(folder: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in folder.glob("llmtop-*.svg")]


async def appears(pilot: Pilot[None], words: str) -> bool:
    for _ in range(50):
        await pilot.pause()
        if words in text(pilot.app):
            return True
    return False


async def settle(pilot: Pilot[None]) -> None:
    await pilot.app.workers.wait_for_complete()  # pyright: ignore[reportUnknownMemberType]
    await pilot.pause()


async def test_the_first_frame_has_data() -> None:
    app = monitor("busy")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "Qwen3-8B" in text(app)


async def test_the_busiest_engine_is_in_focus_until_one_is_chosen() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        assert app.row_id == "http://10.0.0.7:8000"
        await pilot.press("home", "enter")
        await pilot.pause()
        assert app.row_id == "http://127.0.0.1:8080"
        app.beat()
        await pilot.pause()
        assert app.row_id == "http://127.0.0.1:8080"
        assert "¹ llama.cpp :8080 ─ Qwen3-8B Q4_K_M ─ 4 slots" in text(app)


async def test_arrows_and_letters_move_the_cursor() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        engines = app.query_one(Engines)
        await pilot.press("home", "j", "down", "k")
        assert engines.index == 1
        await pilot.press("up", "up", "up")
        assert engines.index == 0
        await pilot.press("end")
        assert engines.index == 5


async def test_a_long_list_scrolls_with_the_cursor_and_the_wheel() -> None:
    app = monitor("many")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "▸" in text(app)
        engines = app.query_one(Engines)
        await pilot.press("end")
        await pilot.pause()
        assert engines.index == 255
        assert "…55:8000" in text(app)
        await pilot.press("home")
        assert engines.first == 0
        turn = (1.0, 2.0, 0, 1, 0, False, False, False)
        engines.post_message(MouseScrollDown(engines, *turn))
        await pilot.pause()
        assert engines.first == 3
        for _ in range(3):
            engines.post_message(MouseScrollUp(engines, *turn))
        await pilot.pause()
        assert engines.first == 0


async def test_any_theme_can_be_chosen_from_a_list() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("T")
        await pilot.pause()
        assert isinstance(app.screen, CommandPalette)


async def test_the_filter_works_while_it_is_typed() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("slash", *"llama")
        await pilot.pause()
        assert len(urls(app)) == 4  # ollama is one of them
        await pilot.press("space", *"gone")
        await pilot.pause()
        assert urls(app) == ["http://127.0.0.1:8082"]
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.focused, Engines)
        assert "filter: llama gone" in text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert len(urls(app)) == 6
        assert not app.query("#filter")


async def test_letters_in_the_filter_are_no_commands() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("slash", "q", "p", "t")
        await pilot.pause()
        assert app.is_running
        assert not app.paused
        assert "none matches" in text(app)


async def test_sorting_cycles_and_marks_the_heading() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("o")
        await pilot.pause()
        assert app.query_one(Engines).order == "engine"
        assert urls(app)[-1] == "http://10.0.0.7:8000" or "vLLM" in text(app)
        await pilot.press("o", "o")
        await pilot.pause()
        assert urls(app)[0] == "http://10.0.0.7:8000"
        assert "tok/s▼" in text(app)


async def test_a_click_on_a_heading_sorts() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        lines = text(app).splitlines()
        y = next(number for number, line in enumerate(lines) if "tok/s" in line and "engine" in line)
        await pilot.click(offset=(lines[y].index("tok/s"), y))
        await pilot.pause()
        assert app.query_one(Engines).order == "rate"


async def test_a_click_on_a_row_shows_that_engine() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        lines = text(app).splitlines()
        y = next(number for number, line in enumerate(lines) if "gemma" in line)
        await pilot.click(offset=(20, y))
        await pilot.pause()
        assert app.row_id == "http://127.0.0.1:11434"


async def test_a_click_on_a_key_runs_it() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        x = text(app).splitlines()[-1].index("p pause")
        await pilot.click(Keys, offset=(x, 0))
        await pilot.pause()
        assert app.paused


@pytest.mark.parametrize("index", range(4))
async def test_digits_maximise_and_escape_restores(index: int) -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        panels = list(app.query(Panel))
        await pilot.press(str(index + 1))
        await pilot.pause()
        assert [panel.display for panel in panels] == [at == index for at in range(4)]
        assert panels[index].size.height > 30
        await pilot.press("escape")
        await pilot.pause()
        assert all(panel.display for panel in panels)


async def test_pause_freezes_the_picture_and_the_feed_goes_on() -> None:
    app = monitor("busy")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("p")
        before = app.snapshot
        app.beat()
        await pilot.pause()
        assert app.snapshot is before
        assert "paused" in text(app).splitlines()[0]
        await pilot.press("p")
        assert app.snapshot.time > before.time


async def test_a_recording_is_paused_sought_and_sped_up() -> None:
    app = monitor("busy", replay=True)
    player = fake(app).fake_player
    assert player is not None
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("space")
        assert player.paused
        await pilot.press("right", "right", "left")
        assert player.position == pytest.approx(52.0)
        await pilot.press("greater_than_sign")
        await pilot.pause()
        assert player.speed == pytest.approx(2.0)
        assert "0:52 of 3:10 ×2" in text(app).splitlines()[0]
        for _ in range(30):
            await pilot.press("left")
        assert player.position == 0.0


async def test_the_keys_of_a_recording_do_nothing_live() -> None:
    app = monitor("busy")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("right", "greater_than_sign")
        assert app.is_running


async def test_help_lists_every_command() -> None:
    app = monitor(replay=True)
    async with app.run_test(size=(120, 60)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, Help)
        shown = text(app)
        assert all(command.help[:40] in shown for command in COMMANDS)
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, Help)


async def test_details_name_source_and_liveness() -> None:
    app = monitor("busy")
    async with app.run_test(size=(120, 60)) as pilot:
        await pilot.press("d")
        await pilot.pause()
        assert isinstance(app.screen, Inspect)
        shown = text(app)
        for word in ("GET /slots n_decoded", "live, per token", "moves at request end", "214 published rows"):
            assert word in shown
        await pilot.press("d")
        await pilot.pause()
        assert not isinstance(app.screen, Inspect)


async def test_details_say_why_the_ceiling_is_unknown() -> None:
    app = monitor("unmeasured")
    async with app.run_test(size=(120, 60)) as pilot:
        await pilot.press("d")
        await pilot.pause()
        assert "press m to measure the memory bandwidth" in text(app)


async def test_measuring_asks_first() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("m")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmMeasure)
        assert "slows down" in text(app)
        await pilot.press("escape")
        await settle(pilot)
        assert fake(app).calls == []


async def test_measuring_says_what_it_found() -> None:
    app = monitor("bare")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("m", "y")
        await settle(pilot)
        assert fake(app).calls == ["measure"]
        assert await appears(pilot, "43.1 GB/s [read]")


async def test_a_failed_measurement_is_one_line() -> None:
    app = monitor("bare")
    fake(app).failure = OSError("not enough memory [x]")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("m", "y")
        await settle(pilot)
        assert app.is_running
        assert await appears(pilot, "not enough memory [x]")


async def test_rescan_asks_the_feed() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("r")
        await pilot.pause()
        assert fake(app).calls == ["rescan"]


async def test_the_interval_changes_in_steps() -> None:
    app = monitor()
    app.feed.interval = 1.0
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("plus", "plus")
        await pilot.pause()
        assert app.feed.interval == 5.0
        assert "every 5 s" in text(app).splitlines()[0]
        await pilot.press("minus", "minus", "minus", "minus")
        assert app.feed.interval == 0.5


async def test_the_theme_changes_the_colours_and_nothing_else() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        dark, before = app.export_screenshot(), text(app)
        await pilot.press("t")
        await pilot.pause()
        assert app.theme == "llmtop-light"
        assert text(app) == before
        assert app.export_screenshot() != dark
        await pilot.press("t")
        assert app.theme == "llmtop-dark"


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "nord", "ansi-dark", "ansi-light", "dracula"])
async def test_built_in_themes_work(theme: str) -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        app.theme = theme
        await pilot.pause()
        assert "vLLM" in text(app)


async def test_no_color_is_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        coloured = text(app)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = monitor()
    async with plain.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert plain.no_color
        assert text(plain) == coloured


async def test_the_picture_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("s")
        saved = pictures(tmp_path)
        assert len(saved) == 1
        assert "vLLM" in saved[0]


async def test_the_palette_runs_a_command() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"engines now")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert fake(app).calls == ["rescan"]


async def test_tab_reaches_the_other_lists() -> None:
    app = monitor("gpus")
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("tab", "tab")
        assert isinstance(app.focused, Log)
        await pilot.press("down")
        assert app.query_one(Log).first == 1


async def test_an_engine_that_leaves_takes_its_row_along() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        fake(app).scene = SCENES["none"]
        app.beat()
        await pilot.pause()
        assert "No engine found yet." in text(app)
        assert app.query_one(Focus).view() is None
        fake(app).scene = SCENES["busy"]
        app.beat()
        await pilot.pause()
        assert "Qwen3-8B" in text(app)


async def test_q_quits() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


@pytest.mark.parametrize("size", [(1, 1), (10, 5), (30, 10), (60, 15), (99, 29), (170, 20), (400, 120)])
@pytest.mark.parametrize("scene", list(SCENES))
async def test_no_size_breaks_it(scene: str, size: tuple[int, int]) -> None:
    app = monitor(scene)
    async with app.run_test(size=size) as pilot:
        await pilot.resize_terminal(max(size[0] // 2, 1), size[1])
        await pilot.pause()
        app.beat()
        await pilot.pause()
        assert app.is_running


async def test_a_fault_ends_the_app_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    app = monitor()

    def break_down() -> None:
        raise ZeroDivisionError

    async def run() -> None:
        async with app.run_test(size=SIZE) as pilot:
            app.call_later(break_down)
            await pilot.pause()

    with pytest.raises(ZeroDivisionError):
        await run()
    assert isinstance(app.fault, ZeroDivisionError)
    assert "Traceback" not in "".join(capsys.readouterr())
