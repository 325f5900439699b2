"""What can this machine run, as a screen: the numbers of `llmtop fit`, the keys, and what a person reads."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from llmtop.estimator.snapshot import Snapshot
from llmtop.probes.recorder import Recorder, load
from llmtop.probes.sample import Bandwidth, Devices, Sample
from llmtop.tui.app import LlmTop
from llmtop.tui.commands import COMMANDS, FIT
from llmtop.tui.fit.ask import CONTEXTS, Ask
from llmtop.tui.fit.asking import answer, study
from llmtop.tui.fit.choices import What, choices, taken
from llmtop.tui.fit.engines import engine_options
from llmtop.tui.replay import Replay
from llmtop.tui.screens.choice import Choice
from llmtop.tui.screens.fit import Fit
from llmtop.tui.screens.help import Help
from llmtop.tui.screens.study import StudyPage
from llmtop.tui.widgets.fit_table import arrange, columns, heading, offered_row, order_at, parameters
from llmtop.tui.widgets.offers import Offers
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Input

from . import fit_scene
from .fakes import FakeFeed
from .scenes import SCENES
from .screen import text
from .test_screens import KEPT, SIZES

ROOT = Path(__file__).parents[2]
SIZE = (120, 40)
BOX = "RTX 3060 12GB + 32GB RAM"
EMPTY = Snapshot(time=0.0, wall=0.0)


@pytest.fixture(autouse=True)
def nothing_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    monkeypatch.chdir(tmp_path)


def monitor(scene: str = "mixed") -> LlmTop:
    return LlmTop(FakeFeed(SCENES[scene], interval=3600.0), version="1.2.3")


def screen(app: LlmTop) -> Fit:
    assert isinstance(app.screen, Fit)
    return app.screen


def offers(app: LlmTop) -> Offers:
    return screen(app).query_one(Offers)


def shown(app: LlmTop) -> list[tuple[str, str | None]]:
    return [(item.model, item.quant) for item in offers(app).items if not isinstance(item, str)]


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20.0
    while not true():
        assert time.monotonic() < end, text(pilot.app)
        await pilot.pause(0.02)
    await pilot.pause()


async def opened(pilot: Pilot[None], app: LlmTop) -> None:
    await pilot.press("f")
    await until(pilot, lambda: screen(app).answer is not None)


async def imagine(pilot: Pilot[None], app: LlmTop, words: str) -> None:
    await pilot.press("h", *words)
    await pilot.press("enter")
    await until(pilot, lambda: screen(app).ask.hardware == words)


def command_line(*arguments: str) -> dict[str, list[dict[str, object]]]:
    done = subprocess.run(
        [sys.executable, "-m", "llmtop", "fit", "--json", "--hardware", BOX, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT / ".src")},
        capture_output=True,
        check=True,
        timeout=60,
    )
    found: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", ["fit", "fit-all", "fit-wrong", "fit-nothing"])
async def test_screen(name: str, size: tuple[int, int]) -> None:
    app = monitor()
    async with app.run_test(size=size) as pilot:
        fit = Fit(EMPTY, replay=False)
        app.push_screen(fit)
        await until(pilot, lambda: fit.answer is not None)
        if name != "fit-nothing":
            everything = name == "fit-all"
            fit.tell(replace(fit_scene.ANSWER, ask=Ask(everything=everything)))
        if name == "fit-wrong":
            await pilot.press("h", *"RTX 3061", "enter")
            await until(pilot, lambda: "nearest" in text(app))
            fit.query_one("#machine", Input).cursor_blink = False
        await pilot.pause()
        lines = text(app)
    path = KEPT / f"{name}-{size[0]}x{size[1]}.txt"
    if os.environ.get("LLMTOP_WRITE_SCREENS"):
        path.write_text(lines, encoding="utf-8")
    assert lines == path.read_text(encoding="utf-8")


async def test_it_tells_the_numbers_of_the_command_line() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await imagine(pilot, app, BOX)
        told = command_line("--top", "1000")["models"]
        assert shown(app) == [(row["model"], row["quant"]) for row in told]
        first = offers(app).offered
        assert first is not None and first.decode_tps is not None
        assert told[0]["decode_tps"] == {
            "value": pytest.approx(first.decode_tps.value),
            "low": pytest.approx(first.decode_tps.low),
            "high": pytest.approx(first.decode_tps.high),
        }
        assert told[0]["memory_bytes"] == pytest.approx(first.memory_bytes)
        await pilot.press("a")
        await until(pilot, lambda: screen(app).ask.everything)
        assert shown(app) == [(row["model"], row["quant"]) for row in command_line("--all", "--top", "9999")["models"]]


async def test_it_is_drawn_before_anything_is_reckoned() -> None:
    app = monitor()
    async with app.run_test(size=SIZE):
        drawn = asyncio.Event()
        app.action_fit()
        app.screen.call_after_refresh(drawn.set)
        await asyncio.wait_for(drawn.wait(), 1.0)
        assert screen(app).answer is None


async def test_what_is_on_the_disk_comes_first(tmp_path: Path) -> None:
    pytest.importorskip("gguf", reason="the extra demo is not installed")
    from llmtop.tui.demo.model import write  # noqa: PLC0415
    from llmtop.tui.demo.shape import Shape  # noqa: PLC0415

    file = tmp_path / "mine.gguf"
    write(file, Shape(width=256, layers=4, heads=4, kv_heads=2, head_width=64, feed_forward=512, vocabulary=4096))
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await until(pilot, lambda: "On this disk" in text(app))
        first = offers(app).offered
        assert first is not None and (first.model, first.store) == ("./mine.gguf", "folder")
        assert first.memory_bytes > 0.95 * file.stat().st_size
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, StudyPage))
        await pilot.press("escape")
        await imagine(pilot, app, "RTX 4090")
        assert "On this disk" not in text(app), "the files are not on a machine that is imagined"


async def test_a_question_is_not_lost_to_news_of_the_machine() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        screen(app).action_everything()
        screen(app).action_again()
        await until(pilot, lambda: screen(app).ask.everything)


async def test_the_box_is_the_monitor_s_with_the_memory_that_is_free_now() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        lines = text(app).splitlines()
        assert "2 x NVIDIA GeForce RTX 4090 (24.0 GiB each), AMD Ryzen 9 7950X (64.0 GiB)" in lines[0]
        assert "GPU 5.6 of 48.0 GiB free" in lines[1]
        before = screen(app).answer
        emptied = tuple(replace(device, memory_used_bytes=0) for device in app.snapshot.devices)
        screen(app).asked_at = 0.0
        app.snapshot = replace(app.snapshot, time=app.snapshot.time + 9.0, devices=emptied)
        await until(pilot, lambda: screen(app).answer is not before)
        assert "GPU 48.0 of 48.0 GiB free" in text(app)


async def test_the_filter_works_while_it_is_typed_and_letters_are_no_commands() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        every = len(shown(app))
        await pilot.press("slash", *"qwen3 code")
        await pilot.pause()
        assert 0 < len(shown(app)) < every
        assert all("qwen3" in name.lower() for name, _ in shown(app))
        assert app.query_one("#engines").display, "the monitor behind it is not filtered"
        assert getattr(app.query_one("#engines"), "pattern", None) == ""
        await pilot.press("enter", "down")
        assert offers(app).has_focus and offers(app).index == 1
        await pilot.press("escape")
        await pilot.pause()
        assert len(shown(app)) == every
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, Fit)


async def test_models_that_make_vectors_come_to_who_asks() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        offers(app).filter("")
        assert not any("embed" in item.tasks for item in offers(app).items if not isinstance(item, str))
        offers(app).filter("embed")
        assert offers(app).items
        assert all("embed" in item.tasks for item in offers(app).items if not isinstance(item, str))


async def test_a_wrong_name_is_one_line_with_the_nearest_and_nothing_is_lost() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        before = shown(app)
        await pilot.press("h", *"RTX 3061", "enter")
        await until(pilot, lambda: "nearest: RTX 3060" in text(app))
        assert screen(app).query_one("#machine", Input).value == "RTX 3061"
        assert shown(app) == before
        assert screen(app).ask.hardware == ""
        await pilot.press(*["backspace"] * 8, *"RTX 4090", "enter")
        await until(pilot, lambda: screen(app).ask.hardware == "RTX 4090")
        assert "What can run on RTX 4090 (24.0 GiB)" in text(app)
        assert "no RAM was named" in text(app)
        await pilot.press("h", *["backspace"] * 8, "enter")
        await until(pilot, lambda: screen(app).ask.hardware == "")
        assert "RTX 4090 (24.0 GiB each)" in text(app)


async def test_engine_and_context_are_chosen_from_lists() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await imagine(pilot, app, BOX)
        await pilot.press("e", "v", "v")
        await pilot.pause()
        assert isinstance(app.screen, Choice)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Fit) and screen(app).ask.engine != "llama.cpp")
        assert screen(app).ask.engine == "vLLM"
        await pilot.press("c", "down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, Fit) and screen(app).ask.context == 32_768)
        assert "32k of context" in text(app)
        assert shown(app) == [
            (row["model"], row["quant"])
            for row in command_line("--engine", screen(app).ask.engine, "--context", "32768", "--top", "999")["models"]
        ]


async def test_cache_speed_and_task_are_chosen_from_lists_as_the_command_has_them() -> None:
    app = monitor()
    async with app.run_test(size=(160, 48)) as pilot:
        await opened(pilot, app)
        await imagine(pilot, app, BOX)
        await pilot.press("v", "q")
        await pilot.pause()
        await pilot.press("v", "down", "down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, Fit) and screen(app).ask.kv == "q8_0")
        await pilot.press("y", "down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, Fit) and screen(app).ask.least_tps == 20)
        await pilot.press("w", "c", "c", "enter")
        await until(pilot, lambda: isinstance(app.screen, Fit) and screen(app).ask.task == "code")
        second = text(app).splitlines()[1]
        for words in ("llama.cpp", "8k of context", "KV cache q8_0", "made for code", "from 20 tok/s"):
            assert words in second
        told = command_line("--kv", "q8_0", "--min-tps", "20", "--task", "code", "--top", "999")["models"]
        assert shown(app) == [(row["model"], row["quant"]) for row in told]
        assert told != command_line("--task", "code", "--top", "999")["models"]
        await pilot.press("w", "a", "enter", "y", "8", "enter")
        await until(pilot, lambda: isinstance(app.screen, Fit) and screen(app).ask.task is None)
        await until(pilot, lambda: screen(app).ask.least_tps is None)
        assert "made for" not in text(app).splitlines()[1]


async def test_models_that_make_vectors_are_a_task_like_others() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await imagine(pilot, app, BOX)
        await pilot.press("w", "e", "enter")
        await until(pilot, lambda: isinstance(app.screen, Fit) and screen(app).ask.task == "embed")
        items = [item for item in offers(app).items if not isinstance(item, str)]
        assert items and all("embed" in item.tasks for item in items)
        assert len({item.model for item in items}) == len(items)


def test_what_is_chosen_is_what_stands_in_the_list() -> None:
    ask = Ask()
    every: tuple[What, ...] = ("engine", "context", "kv", "speed", "task")
    for what in every:
        found = choices(what, ask, None)
        names = [name for name, _ in found.options]
        assert found.chosen in names
        assert len(set(names)) == len(names)
        assert taken(what, ask, found.chosen) == ask
        for name in names:
            assert choices(what, taken(what, ask, name), None).chosen == name


def test_the_list_of_engines_says_where_each_would_run() -> None:
    said = dict(engine_options(fit_scene.ABOUT.box))
    assert said["vLLM"] == "cuda on the NVIDIA GeForce RTX 3060"
    assert said["Lemonade"] == "vulkan on the NVIDIA GeForce RTX 3060"
    assert said["oMLX"] == "runs on none of the devices"
    assert "OpenAI-compatible" not in said


async def test_an_engine_that_runs_nowhere_says_so() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await pilot.press("e", *"ooo", "enter")
        await until(pilot, lambda: isinstance(app.screen, Fit) and screen(app).ask.engine == "oMLX")
        assert "oMLX runs on none of the devices" in text(app)
        await pilot.press("enter", "down", "slash", "x", "escape")
        assert app.is_running


async def test_enter_shows_the_model_in_depth_and_escape_goes_back() -> None:
    app = monitor()
    async with app.run_test(size=(120, 60)) as pilot:
        await opened(pilot, app)
        await imagine(pilot, app, BOX)
        await pilot.press("slash", *"qwen3-14b", "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, StudyPage))
        lines = text(app)
        for words in ("Qwen3-14B on RTX 3060 12GB", "Q8_0", "with the context full", "Batching", "knee"):
            assert words in lines
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, Fit)


def test_a_quantisation_that_was_not_chosen_is_the_one_in_depth() -> None:
    every = answer(Ask(hardware=BOX, everything=True), EMPTY, (), replay=False)
    assert every.about is not None
    row = next(row for row in every.rows if row.model == "Qwen3-14B" and row.quant == "Q3_K_M" and not row.chosen)
    found = study(Ask(hardware=BOX), every.about, row)
    assert not isinstance(found, str)
    assert found.depth.chosen.fit.facts.quantization == "Q3_K_M"
    assert len(found.depth.row) > 3


@pytest.mark.parametrize("scene", ["unmeasured", "none"])
async def test_a_machine_that_was_not_measured_says_what_to_do(scene: str) -> None:
    app = monitor(scene)
    bare = replace(app.snapshot, devices=tuple(each for each in app.snapshot.devices if each.kind == "cpu"))
    unknown = tuple(replace(each, bandwidth_gbs=Bandwidth()) for each in bare.devices)
    async with app.run_test(size=SIZE) as pilot:
        app.snapshot = replace(bare, devices=unknown)
        await opened(pilot, app)
        assert "press m to measure it" in " ".join(text(app).split())
        known = tuple(replace(each, bandwidth_gbs=Bandwidth(measured=50.0)) for each in unknown)
        screen(app).asked_at = 0.0
        app.snapshot = replace(bare, time=bare.time + 9.0, devices=known)
        await until(pilot, lambda: bool(offers(app).items))


async def test_a_recording_is_about_the_recorded_box(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    recorder = Recorder(path, "0", 1.0)
    recorded = Devices(devices=SCENES["mixed"](0).devices)
    for at in range(3):
        recorder.add(Sample(source="devices", time=1000.0 + at, wall=1e9 + at, period=1.0, reading=recorded))
    recorder.close()
    (tmp_path / "here.gguf").write_bytes(b"GGUF")
    app = LlmTop(Replay(load(path)), version="0")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: bool(app.snapshot.devices))
        await opened(pilot, app)
        lines = text(app).splitlines()
        assert "2 x NVIDIA GeForce RTX 4090 (24.0 GiB each), AMD Ryzen 9 7950X (64.0 GiB)" in lines[0]
        assert "as recorded" in lines[1]
        assert len(shown(app)) > 100
        unknown = replace(recorded.devices[-1], bandwidth_gbs=Bandwidth())
        screen(app).asked_at = 0.0
        app.snapshot = replace(app.snapshot, devices=(unknown,))
        await until(pilot, lambda: "was not known when this was recorded" in text(app))


async def test_the_monitor_goes_on_behind_it() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        before = app.snapshot.time
        app.beat()
        await pilot.pause()
        assert app.snapshot.time > before
        await pilot.press("q")
        await pilot.pause()
        assert app.is_running and not isinstance(app.screen, Fit)


async def test_sorting_and_clicks() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await pilot.press("o")
        await pilot.pause()
        rates = [item.decode_tps.value for item in offers(app).items if not isinstance(item, str) and item.decode_tps]
        assert rates == sorted(rates, reverse=True)
        assert "tok/s▼" in text(app)
        lines = text(app).splitlines()
        y = next(number for number, line in enumerate(lines) if "tok/s▼" in line)
        await pilot.click(offset=(lines[y].index("model  "), y))
        await pilot.pause()
        names = [name.lower() for name, _ in shown(app)]
        assert names == sorted(names)
        await pilot.click(offset=(10, y + 3))
        await pilot.pause()
        assert offers(app).index == 2
        assert names[2] in text(app).splitlines()[-3].lower()
        x = text(app).splitlines()[-1].index("c context")
        await pilot.click(offset=(x, SIZE[1] - 1))
        await pilot.pause()
        assert isinstance(app.screen, Choice)


async def test_help_and_palette_know_its_keys() -> None:
    app = monitor()
    async with app.run_test(size=(120, 60)) as pilot:
        await opened(pilot, app)
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, Help)
        lines = text(app)
        assert all(command.help[:40] in lines for command in FIT)
        await pilot.press("escape", "ctrl+p")
        await pilot.pause()
        await pilot.press(*"best ones")
        await until(pilot, lambda: "(a)" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Fit) and screen(app).ask.everything)
    assert any(command.action == "fit" for command in COMMANDS)


@pytest.mark.parametrize("size", [(1, 1), (10, 5), (30, 10), (60, 15), (99, 29), (170, 20), (400, 120)])
async def test_no_size_breaks_it(size: tuple[int, int]) -> None:
    app = monitor()
    async with app.run_test(size=size) as pilot:
        fit = Fit(EMPTY, replay=False)
        app.push_screen(fit)
        await until(pilot, lambda: fit.answer is not None)
        fit.tell(fit_scene.ANSWER)
        await pilot.resize_terminal(max(size[0] // 2, 1), size[1])
        await pilot.press("down", "end", "h", "x", "escape", "slash", "x", "escape")
        assert app.is_running


async def test_the_cursor_steps_over_headings_and_stays_on_its_model() -> None:
    app = monitor()
    async with app.run_test(size=SIZE) as pilot:
        fit = Fit(EMPTY, replay=False)
        app.push_screen(fit)
        await until(pilot, lambda: fit.answer is not None)
        fit.tell(fit_scene.ANSWER)
        listing = fit.query_one(Offers)
        assert listing.items[0] == "On this disk"
        assert listing.offered == fit_scene.DISK[0]
        await pilot.press("down")
        assert listing.offered == fit_scene.ROWS[0]
        await pilot.press("up", "up")
        assert listing.offered == fit_scene.DISK[0]
        await pilot.press("end", "o")
        assert listing.offered == fit_scene.ROWS[-1]


@pytest.mark.parametrize("width", [10, 40, 74, 114, 194])
def test_columns_fit_and_headings_name_what_they_sort_by(width: int) -> None:
    cells = columns(width, fit_scene.ROWS)
    line = heading(cells, "speed")
    if width >= 40:
        assert line.width <= width + 1
        assert order_at(cells, 2) == "name"
        assert order_at(cells, line.text.index("tok/s")) == "speed"
    for row in fit_scene.ROWS:
        assert offered_row(row, cells, cursor=False, marked=True).width == line.width
    if width >= 114:
        assert "no: 32.0 GiB missing" in offered_row(fit_scene.ROWS[4], cells, cursor=False, marked=False).text


@pytest.mark.parametrize("width", [74, 114, 194])
def test_a_heading_is_never_cut(width: int) -> None:
    for rows in ((), fit_scene.ROWS[3:4], fit_scene.ROWS):
        assert "…" not in heading(columns(width, rows), "worth").text


def test_what_does_not_fit_has_no_speed() -> None:
    cells = columns(114, fit_scene.ROWS)
    assert " – " in offered_row(fit_scene.ROWS[4], cells, cursor=False, marked=False).text
    assert parameters(fit_scene.ROWS[0]) == "30B/3.3B"
    assert parameters(fit_scene.ROWS[1]) == "8.2B"


def test_the_filter_takes_name_quantisation_task_and_place() -> None:
    def names(pattern: str) -> list[str]:
        return [row.model for row in arrange(fit_scene.ROWS, "worth", pattern)]

    assert names("BRISK q8") == ["Brisk-8B"]
    assert names("reasoning") == ["Patient-14B"]
    assert names("no room") == ["Giant-70B"]
    assert names("zebra") == []
    assert [row.memory_bytes for row in arrange(fit_scene.ROWS, "memory", "")] == sorted(
        row.memory_bytes for row in fit_scene.ROWS
    )


def test_every_context_is_written_as_it_is_read_back() -> None:
    assert all(int(f"{each // 1024}k".removesuffix("k")) * 1024 == each for each in CONTEXTS)
