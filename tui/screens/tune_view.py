"""What is seen of a tuning: figures, chart, slider, list and sentences, from a thread that may wait for a driver."""

from collections.abc import Sequence
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.screen import ModalScreen

from ..commands import TUNE
from ..tune.ending import commands, stock
from ..tune.opening import Opened
from ..tune.wish import Wish
from ..widgets.keys import Keys
from ..widgets.power_axis import paces
from ..widgets.power_chart import chart
from ..widgets.power_facts import SAME_W
from ..widgets.power_list import PowerList
from ..widgets.power_said import said_rows
from ..widgets.power_slider import PowerSlider
from ..widgets.power_words import Drawn, Moment, head_rows, why_rows
from ..widgets.row import Row
from . import tune_questions as questions
from .palette import TUNE_SCREEN

if TYPE_CHECKING:
    from ...estimator.snapshot import EngineView, Snapshot
    from ...estimator.tuning.point import Point
    from ..app import LlmTop
    from ..tune.ending import Severity
    from ..tune.session import Session
    from ..tune.state import State
    from ..tune.tuning import Tuning

BEAT_S = 0.25
"""Seconds between two looks while something goes on; else the pace is the monitor's."""


class TuneView(ModalScreen[None]):
    """Reads the state of a tuning at its own beat, and never waits for a driver."""

    CSS_PATH = "tune.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (120, "-beside"), (170, "-broad")]  # noqa: RUF012 # Textual's declaration

    class Ready(Message):
        """The limits were read, or it is known why not."""

        def __init__(self, found: Opened) -> None:
            super().__init__()
            self.found = found

    class Told(Message):
        """What could be typed elsewhere."""

        def __init__(self, lines: tuple[tuple[float, str], ...]) -> None:
            super().__init__()
            self.lines = lines

    def __init__(self, session: "Session", snapshot: "Snapshot", engine: "EngineView | None") -> None:
        super().__init__(name=TUNE_SCREEN)
        self.session = session
        self.moment: Moment | None = None
        """What is on the screen."""
        self._snapshot, self._engine = snapshot, engine
        self.wish = Wish()
        self._devices: Sequence[str] = ()
        self._reason = ""
        self.wanted_w: float | None = None
        """The limit that was asked for and is not told yet; forgotten after some seconds, as drivers round."""
        self._commands: tuple[tuple[float, str], ...] = ()
        self._commands_at: float | None = None
        self._shown_at = self.lively_until = 0.0
        """Until then every beat is shown."""

    def compose(self) -> ComposeResult:
        """The figures, the chart over the slider, the list, the sentences, the keys."""
        yield Drawn(lambda width, _: head_rows(self.moment, width) if self.moment else (), id="head")
        with Container(id="middle"):
            with Container(id="picture"):
                yield Drawn(self._chart, id="chart")
                yield PowerSlider(id="slider")
            yield PowerList(id="list")
        yield Drawn(lambda width, height: said_rows(self.moment, width, height) if self.moment else (), id="said")
        yield Drawn(self._why, id="why")
        yield Keys(TUNE)

    def _chart(self, width: int, height: int) -> Sequence[Row]:
        return chart(self.moment.state, width, height) if self.moment else ()

    def _why(self, width: int, _: int) -> Sequence[Row]:
        return why_rows(self._engine, self._reason, width)

    @property
    def tuning(self) -> "Tuning | None":
        """What runs now."""
        return self.session.tuning

    @property
    def monitor(self) -> "LlmTop":
        """The app."""
        return cast("LlmTop", self.app)

    def on_mount(self) -> None:
        """Reads the limits beside the screen: a driver may hang."""
        self.add_class("-unable")
        self.query_one(PowerList).focus()
        self.set_interval(BEAT_S, self.beat)
        self.open()

    def open(self, points: "Sequence[Point]" = ()) -> None:
        """Begins, with points of before."""
        self.session.open(
            self._snapshot,
            self._engine,
            self._devices,
            self.wish,
            points=points,
            tell=lambda found: self.post_message(self.Ready(found)),
        )

    @on(Ready)
    def ready(self, message: Ready) -> None:
        """Begins to measure; or says why not, or asks which device is meant."""
        found = message.found
        self._reason = found.reason
        if found.tuning is not None:
            self.session.begin(found.tuning)
            self._commands_at = None
            self.show()
        elif found.devices:
            self._ask_device(found)
        self.query_one("#why", Drawn).repaint()

    def _ask_device(self, found: Opened) -> None:
        from .choice import Choice  # noqa: PLC0415

        def take(name: str | None) -> None:
            if name is None:
                self.dismiss(None)
                return
            self._devices = [each for each, _ in found.devices] if name == questions.ALL else [name]
            self._reason = ""
            self.open()

        options = questions.devices(found.devices)
        self.monitor.push_screen(Choice("which device serves it?", options, options[0][0]), take)

    def on_unmount(self) -> None:
        """Whatever ends the screen puts the limit back."""
        self.end()

    def end(self) -> None:
        """Puts back what was not kept, and says so when it is done."""
        monitor = self.monitor

        def tell(words: str, severity: "Severity") -> None:
            monitor.notify(words, severity=severity, timeout=10, markup=False)

        self.session.end(tell)
        monitor.giving_back = self.session.giving_back

    def beat(self) -> None:
        """A few times a second while something goes on; else at the pace of the monitor."""
        now = monotonic()
        lively = now < self.lively_until or (self.moment is not None and self.moment.state.progress is not None)
        if self.tuning is not None and (lively or now - self._shown_at >= self.monitor.period - BEAT_S / 2):
            self.show()

    def show(self) -> None:
        """Paints what has changed."""
        if self.tuning is None or not self.is_mounted:
            return
        about, state, bench = self.tuning.target, self.tuning.state, self.tuning.bench
        if self.wanted_w is not None and (
            abs(state.limit_w - self.wanted_w) <= SAME_W or monotonic() > self.lively_until or state.problem
        ):
            self.wanted_w = None
        view = self._view()
        moment = Moment(
            about=about,
            state=state,
            stock_w=stock(about),
            wanted_w=self.wanted_w,
            live_tps=view.decode_tps if view else None,
            trouble=questions.trouble(view),
            generates=bench.generates,
            forbidden=about.may_write is False or state.denied,
            commands=self._commands,
        )
        self._look_up_commands(state)
        self.tell(moment)

    def tell(self, moment: Moment) -> None:
        """Paints what differs from what is on the screen."""
        self.moment, self._shown_at = moment, monotonic()
        self.remove_class("-unable")
        for name in ("#head", "#chart", "#said"):
            self.query_one(name, Drawn).repaint()
        self.query_one(PowerSlider).tell(moment.state, moment.stock_w)
        self.query_one(PowerList).tell(moment.state)

    def _view(self) -> "EngineView | None":
        """The engine as it is now; None when it is gone."""
        name = self._engine.id if self._engine else None
        return next((view for view in self.monitor.snapshot.engines if view.id == name), None)

    def _look_up_commands(self, state: "State") -> None:
        """For whoever may not set the limit here."""
        tuning = self.tuning
        denied = tuning is not None and (tuning.target.may_write is False or state.denied)
        if tuning is None or not denied or self._commands_at == state.limit_w:
            return
        self._commands_at = at_w = state.limit_w

        def work() -> None:
            self.post_message(self.Told(commands(tuning, at_w, paces(state))))

        Thread(target=work, name="commands", daemon=True).start()

    @on(Told)
    def told(self, message: Told) -> None:
        """Shows them."""
        self._commands = message.lines
        self.show()
