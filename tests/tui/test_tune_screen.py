"""The tune screen: a real tuning over a file of the kernel, fed by hand; and what a person reads."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from llmtop.estimator.snapshot import Snapshot
from llmtop.probes.sample import Device, PowerLimit
from llmtop.tui.app import LlmTop
from llmtop.tui.commands import COMMANDS, TUNE
from llmtop.tui.screens.agree import Agree
from llmtop.tui.screens.choice import Choice
from llmtop.tui.screens.help import Help
from llmtop.tui.screens.tune import Tune
from llmtop.tui.widgets.power_axis import axis, paces
from llmtop.tui.widgets.power_chart import chart
from llmtop.tui.widgets.power_list import columns
from llmtop.tui.widgets.power_plot import Plot
from llmtop.tui.widgets.power_said import said_rows
from llmtop.tui.widgets.power_slider import PowerSlider, clicked, marks, slider
from llmtop.tui.widgets.power_words import head_rows
from msgspec.structs import replace
from textual.pilot import Pilot

from ..limits.waiting import running
from ..limits.waiting import until as wait_until
from ..tune.box import Box
from ..tune.curve import Noise, curve
from . import tune_scene
from .fakes import FakeFeed
from .scenes import SCENES, gpu
from .screen import text
from .test_screens import KEPT, SIZES
from .tune_scene import MOMENTS

SIZE = (120, 40)
PATIENCE_S = 30.0


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where journals and locks lie; no watchdog outlives its test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = tmp_path / "llmtop"
    yield path
    wait_until(lambda: not running(path), f"the end of {running(path)}")


def card(tmp_path: Path, number: int = 0, *, writable: bool = True) -> Device:
    """With a limit that is a file, as amdgpu has it."""
    hwmon = tmp_path / f"sys/devices/pci0000:00/0000:0{number}:00.0/hwmon/hwmon{number}"
    hwmon.mkdir(parents=True)
    (hwmon / "power1_cap").write_text("450000000\n")
    limit = PowerLimit(
        name="board",
        value_w=450.0,
        min_w=150.0,
        max_w=600.0,
        default_w=450.0,
        writable=writable,
        where=str(hwmon / "power1_cap"),
    )
    return replace(gpu(number, "Radeon Imagined"), vendor="AMD", limits=(limit,))


class Machine:
    """A monitor over one card whose engine follows a published sweep. Time passes when told."""

    def __init__(self, tmp_path: Path, *, writable: bool = True) -> None:
        self.card = card(tmp_path, writable=writable)
        self.cap = Path(self.card.limits[0].where)
        self.box = Box(curve("4090 decode x1"), noise=Noise(1, sigma=0.01), start=time.monotonic())
        self.feed = FakeFeed(self.snapshot, interval=0.2)
        self.app = LlmTop(self.feed, version="1.2.3")

    def snapshot(self, tick: int) -> Snapshot:
        return replace(SCENES["busy"](tick), devices=(self.card,))

    @property
    def limit_w(self) -> float:
        return int(self.cap.read_text()) / 1e6

    def set_elsewhere(self, watts: float) -> None:
        self.cap.write_text(f"{watts * 1e6:.0f}\n")

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.box.limit_w = self.limit_w
            for sample in self.box.run(1.0):
                for take in list(self.feed.listeners):
                    take(sample)

    @property
    def screen(self) -> Tune:
        screen = self.app.screen
        assert isinstance(screen, Tune)
        return screen

    def left(self) -> bool:
        """Whether everything is given back."""
        ending = self.app.giving_back
        return ending is not None and not ending.is_alive()


async def until(pilot: Pilot[None], true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, text(pilot.app)
        await pilot.pause(0.02)
    await pilot.pause()


async def opened(pilot: Pilot[None], machine: Machine) -> None:
    await pilot.press("w")
    await until(pilot, lambda: machine.screen.moment is not None)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", ["unable", *MOMENTS])
async def test_screen(name: str, size: tuple[int, int]) -> None:
    app = LlmTop(FakeFeed(SCENES["none"], interval=3600.0), version="1.2.3")
    async with app.run_test(size=size) as pilot:
        await pilot.press("w")
        await until(pilot, lambda: "cannot be tuned" in text(app))
        if name in MOMENTS:
            assert isinstance(app.screen, Tune)
            app.screen.tell(MOMENTS[name])
            await pilot.pause()
        lines = text(app)
    path = KEPT / f"tune-{name}-{size[0]}x{size[1]}.txt"
    if os.environ.get("LLMTOP_WRITE_SCREENS"):
        path.write_text(lines, encoding="utf-8")
    assert lines == path.read_text(encoding="utf-8")


async def test_a_recording_has_nothing_to_tune() -> None:
    app = LlmTop(FakeFeed(SCENES["busy"], interval=3600.0, replay=True))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("w")
        await until(pilot, lambda: "A recording has no power" in text(app))
        assert not isinstance(app.screen, Tune)


async def test_a_machine_without_a_limit_says_why_and_escape_leaves() -> None:
    app = LlmTop(FakeFeed(SCENES["bare"], interval=3600.0))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("w")
        await until(pilot, lambda: "the kernel knows no power limit of it" in text(app))
        await pilot.press("left_square_bracket", "s", "k", "a", "r", "g", "p", "plus", "escape")
        await pilot.pause()
        assert not isinstance(app.screen, Tune)


async def test_steps_are_set_and_leaving_puts_the_limit_back(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    async with machine.app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot, machine)
        machine.run(3)
        await pilot.press("left_square_bracket", "left_curly_bracket", "left_square_bracket")
        assert "→ 415 W" in text(machine.app), "what was asked for is seen at once"
        await until(pilot, lambda: machine.limit_w == 415.0)
        machine.run(2)
        await until(pilot, lambda: "back to 450 W when you leave" in text(machine.app))
        assert "→" not in text(machine.app).splitlines()[2]
        await pilot.press("right_curly_bracket", "right_square_bracket")
        await until(pilot, lambda: machine.limit_w == 445.0)
        await pilot.press("q")
        await pilot.pause()
        assert not isinstance(machine.app.screen, Tune)
        await until(pilot, lambda: "Power limit put back to 450 W." in text(machine.app))
        assert machine.limit_w == 450.0 and machine.left()
        assert not machine.feed.listeners


async def test_leaving_without_a_change_says_nothing(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    async with machine.app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot, machine)
        await pilot.press("w")
        await until(pilot, machine.left)
        assert "put back" not in text(machine.app)


async def test_a_click_on_the_slider_sets_what_is_there(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    async with machine.app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot, machine)
        moment = machine.screen.moment
        assert moment is not None
        width = machine.screen.query_one(PowerSlider).content_size.width
        x = 7 + axis(moment.state, width).column(300.0)
        wanted = clicked(moment.state, moment.stock_w, width, x)
        assert wanted is not None and abs(wanted - 300.0) <= 10.0 and wanted % 5 == 0
        await pilot.click("#slider", offset=(x, 0))
        await until(pilot, lambda: machine.limit_w == wanted)
        await pilot.press("r")
        await until(pilot, lambda: machine.limit_w == 450.0)


async def measured(pilot: Pilot[None], machine: Machine, limit_w: float) -> None:
    """A minute at this limit, until it stands in the list."""
    if machine.limit_w != limit_w:
        machine.screen.slid(PowerSlider.Asked(limit_w))
        await until(pilot, lambda: machine.limit_w == limit_w)
    machine.run(60)
    await until(pilot, lambda: f"◉    {limit_w:.0f} W" in _marked(machine))


async def test_each_limit_leaves_a_point_and_the_chosen_one_can_be_applied_and_kept(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    async with machine.app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot, machine)
        for limit_w in (450.0, 375.0, 250.0):
            await measured(pilot, machine, limit_w)
        await until(pilot, lambda: machine.screen.moment and machine.screen.moment.state.chosen_w == 375.0)
        await until(pilot, lambda: "375 W keeps 97 %" in text(machine.app))
        await pilot.press("a")
        await until(pilot, lambda: machine.limit_w == 375.0)
        machine.run(2)
        await until(pilot, lambda: "limit 375 W" in text(machine.app))
        await pilot.press("k")
        await until(pilot, lambda: isinstance(machine.app.screen, Agree))
        assert "375 W stays after llmtop has ended" in text(machine.app)
        await pilot.press("y")
        await until(pilot, lambda: "echo 450000000 | sudo tee" in text(machine.app))
        await pilot.press("escape")
        await until(pilot, machine.left)
        assert machine.limit_w == 375.0
        await until(pilot, lambda: "The power limit stays" in text(machine.app))


def read(machine: Machine) -> str:
    """What is asked, as one line."""
    page = machine.app.screen
    assert isinstance(page, Agree)
    return " ".join(line.text.strip() for line in page.rows(76))


def _marked(machine: Machine) -> str:
    """The list, with every verdict left out."""
    return text(machine.app).replace("✓", " ").replace("✗", " ").replace("?", " ").replace("◆", " ")


async def test_quitting_puts_it_back(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    async with machine.app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot, machine)
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: machine.limit_w == 425.0)
        await pilot.press("ctrl+c")
    assert machine.app.giving_back is not None
    machine.app.giving_back.join(PATIENCE_S)
    assert machine.limit_w == 450.0


async def test_a_sweep_is_asked_about_shown_and_stopped(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    async with machine.app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot, machine)
        await pilot.press("s")
        await until(pilot, lambda: isinstance(machine.app.screen, Agree))
        lines = read(machine)
        for words in ("from 450 W down to 150 W", "at most, mostly less", "put back to 450 W at the end"):
            assert words in lines
        await pilot.press("n")
        await pilot.pause()
        assert machine.limit_w == 450.0 and machine.screen.tuning and machine.screen.tuning.state.progress is None
        await pilot.press("s", "y")
        await until(pilot, lambda: "sweep: limit 1 of" in text(machine.app))
        while machine.limit_w == 450.0:
            machine.run(5)
            await pilot.pause(0.05)
        await until(pilot, lambda: "sweep: limit 2 of" in text(machine.app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(machine.app.screen, Agree))
        await pilot.press("n")
        await pilot.pause()
        await pilot.press("s")
        await until(pilot, lambda: "the sweep was stopped" in text(machine.app))
        assert machine.limit_w == 450.0
        await pilot.press("s", "y")
        await until(pilot, lambda: "sweep: limit" in text(machine.app))
        await pilot.press("w", "y")
        await until(pilot, machine.left)
        assert machine.limit_w == 450.0


async def test_who_may_not_set_it_sees_the_command_and_what_others_set(tmp_path: Path) -> None:
    machine = Machine(tmp_path, writable=False)
    async with machine.app.run_test(size=(200, 60), notifications=True) as pilot:
        await opened(pilot, machine)
        machine.run(60)
        await until(pilot, lambda: "425000000 | sudo tee" in text(machine.app))
        assert "445000000 | sudo tee" in text(machine.app)
        assert "this user may not set it" in text(machine.app)
        machine.set_elsewhere(400.0)
        machine.run(60)
        await until(pilot, lambda: "◉" in text(machine.app) and "limit 400 W" in text(machine.app))
        await until(pilot, lambda: "375000000 | sudo tee" in text(machine.app))
        await pilot.press("s")
        await until(pilot, lambda: "set it elsewhere" in text(machine.app))
        await pilot.press("escape")
        await until(pilot, machine.left)
        assert machine.limit_w == 400.0, "what others have set is theirs"


async def test_several_devices_are_chosen_from(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    cards = (machine.card, card(tmp_path, 1))
    base = SCENES["busy"](0)
    two = replace(base, devices=cards, engines=(replace(base.engines[0], devices=()),))

    def scene(_: int) -> Snapshot:
        return two

    machine.feed.scene = scene
    async with machine.app.run_test(size=SIZE, notifications=True) as pilot:
        machine.app.beat()
        await pilot.press("w")
        await until(pilot, lambda: isinstance(machine.app.screen, Choice))
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: isinstance(machine.app.screen, Tune) and machine.screen.moment is not None)
        assert machine.screen.tuning and [each.id for each in machine.screen.tuning.target.devices] == ["nvidia1"]
        await pilot.press("escape", "w")
        await until(pilot, lambda: isinstance(machine.app.screen, Choice))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(machine.app.screen, Tune) and machine.screen.moment is not None)
        assert "2 x Radeon Imagined" in text(machine.app)
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: [Path(each.limits[0].where).read_text() for each in cards] == ["445000000\n"] * 2)
        await pilot.press("escape")
        await until(pilot, machine.left)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(machine.app.screen, Choice))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(machine.app.screen, (Choice, Tune)))


async def test_a_driver_that_hangs_does_not_stall_the_screen(tmp_path: Path) -> None:
    """A pipe that nobody writes to: reading it waits."""
    machine = Machine(tmp_path)
    machine.cap.unlink()
    os.mkfifo(machine.cap)
    try:
        async with machine.app.run_test(size=SIZE, notifications=True) as pilot:
            await pilot.press("w")
            await until(pilot, lambda: "Reading the power limit" in text(machine.app))
            began = time.monotonic()
            await pilot.press("left_square_bracket", "s", "t", "escape")
            await pilot.pause()
            assert not isinstance(machine.app.screen, Tune)
            assert time.monotonic() - began < 5.0
    finally:
        pipe = os.open(machine.cap, os.O_WRONLY)
        os.write(pipe, b"450000000\n")
        os.close(pipe)


async def test_a_driver_that_hangs_while_the_limit_is_put_back_holds_nobody_up(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    pipe = tmp_path / "pipe"
    async with machine.app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot, machine)
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: machine.limit_w == 445.0)
        os.mkfifo(pipe)
        machine.cap.rename(tmp_path / "file")
        os.link(pipe, machine.cap)
        began = time.monotonic()
        await pilot.press("escape", "t")
        await pilot.pause()
        assert not isinstance(machine.app.screen, Tune)
        await pilot.press("w")
        await until(pilot, lambda: "Reading the power limit" in text(machine.app))
        assert time.monotonic() - began < 5.0
        assert not machine.left()
        await pilot.pause(0.5)
        (tmp_path / "file").rename(machine.cap)
        file = os.open(pipe, os.O_WRONLY)
        os.write(file, b"445000000\n")
        os.close(file)
        await until(pilot, lambda: isinstance(machine.app.screen, Tune) and machine.screen.moment is not None)
        assert machine.limit_w == 450.0
        assert "450 W" in text(machine.app).splitlines()[2]
        await pilot.press("escape")
        await until(pilot, machine.left)


async def test_load_and_phase_begin_anew_when_nothing_is_changed(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    async with machine.app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot, machine)
        assert "the load that runs" in text(machine.app)
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: machine.limit_w == 445.0)
        machine.run(2)
        await until(pilot, lambda: machine.screen.tuning and machine.screen.tuning.state.changed)
        await pilot.press("g", "p")
        await until(pilot, lambda: "begins the tuning anew" in text(machine.app))
        await pilot.press("r")
        await until(pilot, lambda: machine.limit_w == 450.0)
        machine.run(2)
        await until(pilot, lambda: machine.screen.tuning and not machine.screen.tuning.state.changed)
        before = machine.screen.tuning
        await pilot.press("g")
        await until(pilot, lambda: isinstance(machine.app.screen, Agree))
        assert "sends requests of its own to llama.cpp :8080" in read(machine)
        await pilot.press("y")
        await until(pilot, lambda: machine.screen.tuning is not None and machine.screen.tuning is not before)
        await until(pilot, lambda: "llmtop's own load" in text(machine.app))
        await pilot.press("p")
        await until(pilot, lambda: isinstance(machine.app.screen, Choice))
        await pilot.press("b", "enter")
        await until(pilot, lambda: isinstance(machine.app.screen, Tune))
        await until(pilot, lambda: machine.screen.tuning and machine.screen.tuning.wish.phases == ("decode", "prefill"))
        assert machine.screen.tuning and machine.screen.tuning.wish.generate
        await pilot.press("escape")
        await until(pilot, machine.left)


async def test_the_share_that_is_to_be_kept(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    async with machine.app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot, machine)
        await pilot.press("minus", "minus", "minus", "plus")
        await until(pilot, lambda: "95 %" in text(machine.app))
        assert machine.screen.tuning is not None
        await until(pilot, lambda: machine.screen.tuning and machine.screen.tuning.state.keep == 0.95)
        await pilot.press("escape")
        await until(pilot, machine.left)


async def test_help_palette_and_clicks_know_its_keys(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    async with machine.app.run_test(size=(120, 60), notifications=True) as pilot:
        await opened(pilot, machine)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(machine.app.screen, Help))
        lines = text(machine.app)
        assert all(command.help[:40] in lines for command in TUNE)
        await pilot.press("escape", "ctrl+p", *"large step")
        await until(pilot, lambda: "Lower by a large step" in text(machine.app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(machine.app.screen, Tune))
        x = text(machine.app).splitlines()[-1].index("] higher")
        await pilot.click(offset=(x, 59))
        await until(pilot, lambda: machine.limit_w == 455.0)
        await pilot.press("escape")
        await until(pilot, machine.left)
    assert any(command.action == "tune" and command.keys == "w" for command in COMMANDS)
    keys = [key for command in TUNE for key in command.keys.split(",")]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("size", [(1, 1), (10, 5), (30, 10), (60, 15), (99, 29), (121, 12), (400, 120)])
async def test_no_size_breaks_it(size: tuple[int, int], tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    async with machine.app.run_test(size=size) as pilot:
        await opened(pilot, machine)
        for moment in MOMENTS.values():
            machine.screen.tell(moment)
            await pilot.pause()
        await pilot.resize_terminal(max(size[0] // 2, 1), size[1])
        await pilot.press("up", "down", "escape")
        await until(pilot, machine.left)
        assert machine.app.is_running


@pytest.mark.parametrize("width", [30, 54, 76, 116, 196])
@pytest.mark.parametrize("name", MOMENTS)
def test_nothing_is_wider_than_its_place(name: str, width: int) -> None:
    moment = MOMENTS[name]
    rows = [
        *chart(moment.state, width, 14),
        *slider(moment.state, moment.stock_w, width),
        *head_rows(moment, width),
        *said_rows(moment, width, 5),
    ]
    assert all(line.width <= width for line in rows), [line.text for line in rows if line.width > width]
    assert len(chart(moment.state, width, 14)) == 14
    assert len(head_rows(moment, width)) == 5
    assert 2 + sum(size + 2 for _, size in columns(width)) <= max(width, 24)


def test_the_chart_stands_where_the_numbers_are() -> None:
    state = MOMENTS["swept"].state
    width, height = 116, 25
    lines = [line.text for line in chart(state, width, height)]
    along = axis(state, width)
    column = 7 + along.column(360.0)
    assert sum(line[column] == "◆" for line in lines) == 1
    assert lines[-1][column] == "┊", "a line from the share that is to be kept down to the answer"
    assert "360 W keeps 97 %" in lines[-1]
    rows = {limit: _row_of(lines, 7 + along.column(limit), "●◆◉") for limit in (450.0, 360.0, 300.0, 270.0, 225.0)}
    assert rows[450.0] <= rows[360.0] < rows[300.0] < rows[270.0] < rows[225.0]
    assert any("97 %" in line for line in lines)
    dearest = _row_of(lines, 7 + along.column(405.0), "×")
    assert dearest < _row_of(lines, 7 + along.column(225.0), "×"), "joules a token fall with the limit"


def _row_of(lines: list[str], column: int, signs: str) -> int:
    return next(at for at, line in enumerate(lines) if at and len(line) > column and line[column] in signs)


def test_before_anything_is_measured_the_answer_is_the_expected_one() -> None:
    moment = MOMENTS["before"]
    assert moment.state.curve and not moment.state.choices
    lines = [line.text for line in chart(moment.state, 116, 20)]
    assert "335 W should keep 97 %" in lines[-1]
    assert any("335 W should keep 97 % of the speed" in line.text for line in said_rows(moment, 116, 5))
    assert not any(sign in "".join(lines[1:]) for sign in "●◆◉×")


def test_without_a_law_there_is_no_curve_and_it_says_so() -> None:
    moment = MOMENTS["before"]
    bare = moment._replace(state=replace(moment.state, curve=()))
    assert any("measuring tells" in line.text for line in said_rows(bare, 116, 5))
    assert "┊" not in "".join(line.text for line in chart(bare.state, 116, 20))


def test_slider_marks() -> None:
    state = MOMENTS["sweep"].state
    found = {mark.words: mark.limit_w for mark in marks(state, 450.0)}
    assert found["450 W before"] == 450.0 and found["360 W chosen"] == 360.0 and found["315 W"] == 315.0
    assert clicked(state, 450.0, 116, 7) == 150.0
    assert clicked(state, 450.0, 116, 7 + axis(state, 116).columns - 1) == 600.0
    assert clicked(state, 450.0, 116, 3) is None
    assert clicked(state, 450.0, 116, 7 + axis(state, 116).column(360.0)) == 360.0


def test_small_ranges_have_small_steps() -> None:
    state = tune_scene.MOMENTS["before"].state
    assert paces(state) == (5.0, 25.0)
    assert paces(replace(state, lowest_w=10.0, highest_w=28.0, top_w=35.0)) == (1.0, 5.0)


def test_a_plot_joins_what_is_steep_and_leaves_out_what_is_outside() -> None:
    plot = Plot(3, 2)
    plot.curve([0.0, 0.99, None, 1.4, 0.5, 0.5], "expected")
    assert [("".join(sign for sign, _ in plot.line(row))) for row in range(2)] == ["⢸  ", "⡸ ⠉"]
