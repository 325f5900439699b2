"""The monitor: composition, keys, and what each key does."""

import gc
import sys
import threading
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.worker import Worker, WorkerState

from ..estimator.snapshot import EngineView, Snapshot
from . import themes
from .commands import COMMANDS as TABLE
from .commands import INTERVALS, SPEEDS, available, stepped
from .feed import Feed
from .format import address
from .screens.palette import Palette
from .widgets.body import NARROW, WIDE, Body
from .widgets.devices import Devices
from .widgets.engines import Engines
from .widgets.focus import EMPTY, Focus, pick
from .widgets.keys import Keys
from .widgets.log import Log
from .widgets.painted import COMPONENTS
from .widgets.panel import Listing, Panel
from .widgets.table import ORDER_WORDS
from .widgets.top import Top

if TYPE_CHECKING:
    from textual.widgets import Input

FIRST_BEATS_S = (0.1, 0.2, 0.35, 0.6)
"""Moments after the first frame at which the first readings may be there."""
WORKS = frozenset({"ok", "idle"})
"""States of an engine that a loaded machine slows down."""


class LlmTop(App[None]):
    """Shows what a feed knows."""

    TITLE = "llmtop"
    CSS_PATH = "llmtop.tcss"
    COMMANDS = {Palette}  # noqa: RUF012 # Textual's declaration
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(command.keys, command.action, command.title, show=False) for command in TABLE
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-medium"), (WIDE, "-wide")]  # noqa: RUF012 # Textual's declaration
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 # Textual's declaration

    snapshot: reactive[Snapshot] = reactive(EMPTY, repaint=False, init=False)
    row_id: reactive[str] = reactive("", repaint=False, init=False)
    period: reactive[float] = reactive(1.0, repaint=False, init=False)
    paused: reactive[bool] = reactive(default=False, repaint=False, init=False)

    def __init__(self, feed: Feed, *, version: str = "", api_key: str | None = None) -> None:
        """`api_key` is that of the engines; only a load that a person asks for is sent with it."""
        super().__init__()
        for theme in themes.OWN:
            self.register_theme(theme)
        self.set_reactive(App.theme, themes.DARK.name)  # its watcher would have the style sheet read twice
        self.stylesheet.set_variables(self.get_css_variables())
        self.feed = feed
        self.version = version
        self.api_key = api_key
        self.fault: BaseException | None = None
        """What has ended the app, if it was not a person."""
        self.giving_back: threading.Thread | None = None
        """Puts back a power limit that was changed; Python does not end before it has."""
        self._chosen = False
        self._measuring = False
        self.set_reactive(LlmTop.period, feed.interval)
        self._take(quiet=True)

    def compose(self) -> ComposeResult:
        """Top line, four panels, bottom line."""
        yield Top(self.feed.player).data_bind(LlmTop.snapshot, LlmTop.period, LlmTop.paused)
        with Body(id="body").data_bind(LlmTop.snapshot):
            yield Focus(id="focus").data_bind(LlmTop.snapshot, LlmTop.period, row_id=LlmTop.row_id)
            yield Engines(id="engines").data_bind(LlmTop.snapshot, row_id=LlmTop.row_id)
            yield Devices(id="devices").data_bind(LlmTop.snapshot)
            yield Log(id="log").data_bind(LlmTop.snapshot)
        yield Keys(available(replay=self.feed.player is not None))

    def on_mount(self) -> None:
        """Starts the beat, and the feed once the first frame stands."""
        self.query_one(Engines).focus()
        self._timer = self.set_interval(self.feed.interval, self.beat)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        gc.freeze()  # what stands now stays: it need not be walked again and again
        threading.Thread(target=self.feed.start, name="feed", daemon=True).start()
        if not self.snapshot.time:
            for soon in FIRST_BEATS_S:
                self.set_timer(soon, self.beat)

    def _fatal_error(self) -> None:
        """Ends the app. Textual's own version prints a traceback with the values of all variables."""
        self.fault = sys.exception()
        self._close_messages_no_wait()

    def beat(self) -> None:
        """Takes the newest snapshot, unless the picture stands."""
        if not self.paused or self.feed.player is not None:
            self._take()

    def _take(self, *, quiet: bool = False) -> None:
        snapshot = self.feed.snapshot()
        row_id = pick(snapshot.engines, self.row_id, chosen=self._chosen)
        if quiet:
            self.set_reactive(LlmTop.snapshot, snapshot)
            self.set_reactive(LlmTop.row_id, row_id)
            return
        self.snapshot = snapshot
        self.row_id = row_id

    def engine(self) -> EngineView | None:
        """The engine in focus."""
        return next((view for view in self.snapshot.engines if view.id == self.row_id), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of a recording work with a recording only."""
        del parameters
        return self.feed.player is not None or action not in {"seek", "speed"}

    # What the keys do, in the order of the table.

    def action_help(self) -> None:
        """All keys."""
        from .screens.help import Help  # noqa: PLC0415

        self.push_screen(Help(available(replay=self.feed.player is not None), version=self.version))

    def action_inspect(self) -> None:
        """Where the numbers come from."""
        from .screens.inspect import Inspect  # noqa: PLC0415

        view = self.engine()
        if view is not None:
            self.push_screen(Inspect(view, self.snapshot))

    def action_fit(self) -> None:
        """What this machine can run."""
        from .screens.fit import Fit  # noqa: PLC0415

        self.push_screen(Fit(self.snapshot, replay=self.feed.player is not None))

    def action_tune(self) -> None:
        """What each power limit leaves of the speed."""
        from .screens.tune import Tune  # noqa: PLC0415
        from .tune.session import Session  # noqa: PLC0415

        if self.feed.player is not None:
            self.notify("A recording has no power limit to tune.")
            return
        session = Session(self.feed, self.api_key, None, self.giving_back)
        self.push_screen(Tune(session, self.snapshot, self.engine()))

    def action_measure(self) -> None:
        """Asks, then measures the memory bandwidth."""
        from .screens.confirm import ConfirmMeasure  # noqa: PLC0415

        if self._measuring:
            self.notify("The memory bandwidth is being measured already.")
            return
        running = [f"{view.engine} {address(view.url)}" for view in self.snapshot.engines if view.status in WORKS]
        self.push_screen(ConfirmMeasure(running), self._measure)

    def _measure(self, agreed: bool | None) -> None:
        if agreed:
            self._measuring = True
            self.notify("Measuring the memory bandwidth with all cores, about 10 s.", title="measure")
            self.run_worker(self.feed.measure, group="measure", thread=True, exit_on_error=False)

    @on(Worker.StateChanged)
    def measured(self, event: Worker.StateChanged) -> None:
        """Says what the measurement found."""
        worker = cast("Worker[str]", event.worker)  # pyright: ignore[reportUnknownMemberType]
        if worker.group != "measure" or event.state not in {WorkerState.SUCCESS, WorkerState.ERROR}:
            return
        self._measuring = False
        if event.state is WorkerState.SUCCESS:
            self.notify(worker.result or "", title="memory bandwidth", timeout=15, markup=False)
        else:
            self.notify(str(worker.error), title="not measured", severity="error", timeout=15, markup=False)

    def action_pause(self) -> None:
        """Freezes the picture, or the recording."""
        player = self.feed.player
        if player is None:
            self.paused = not self.paused
        else:
            player.paused = not player.paused
            self.paused = player.paused
        self.beat()

    def listing(self) -> Listing:
        """The list that the arrow keys move in: the one with the focus, else the engines."""
        return self.focused if isinstance(self.focused, Listing) else self.query_one(Engines)

    def action_step(self, rows: int) -> None:
        """Moves by rows."""
        self.listing().step(rows)

    def action_page(self, pages: int) -> None:
        """Moves by pages."""
        listing = self.listing()
        listing.step(pages * listing.page())

    def action_choose(self) -> None:
        """Shows the engine under the cursor."""
        self.query_one(Engines).choose()

    @on(Engines.Chosen)
    def choose(self, message: Engines.Chosen) -> None:
        """Puts the engine into focus, and keeps it there."""
        self._chosen = True
        self.row_id = message.row_id

    async def action_filter(self) -> None:
        """Opens the line that filters. The next key goes into it already."""
        from textual.widgets import Input  # noqa: PLC0415

        self.screen.add_class("-filtering")
        if not self.query("#filter"):
            line = Input(id="filter", placeholder="filter: engine, address, model, state", compact=True)
            await self.screen.mount(line, before=self.query_one(Keys))
        self.screen.set_focus(self.query_one("#filter"))

    def on_input_changed(self, event: "Input.Changed") -> None:
        """Filters as it is typed."""
        self.query_one(Engines).pattern = event.value

    def on_input_submitted(self) -> None:
        """Back to the list, which stays filtered."""
        self._leave_filter()

    def _leave_filter(self) -> None:
        self.screen.remove_class("-filtering")
        self.query_one(Engines).focus()

    def action_sort(self) -> None:
        """Sorts by the next column."""
        order = self.query_one(Engines).next_order()
        self.notify(f"Engines {'' if order == 'found' else 'by '}{ORDER_WORDS[order]}.", timeout=2)

    def action_rescan(self) -> None:
        """Looks for engines now."""
        self.feed.rescan()
        self.notify("Looking for engines.", timeout=2)

    def action_maximise(self, index: int) -> None:
        """One panel on the whole screen, and back."""
        body = self.query_one("#body")
        panels = list(body.query_children(Panel))
        single = not (body.has_class("-single") and panels[index].has_class("-only"))
        body.set_class(single, "-single")
        for at, panel in enumerate(panels):
            panel.set_class(single and at == index, "-only")
        shown = panels[index] if single else panels[1]
        if isinstance(shown, Listing):
            shown.focus()

    def action_restore(self) -> None:
        """Leaves the filter first, then the single panel."""
        if self.screen.has_class("-filtering") or self.query_one(Engines).pattern:
            for line in self.query("#filter"):
                line.remove()
            self.query_one(Engines).pattern = ""
            self._leave_filter()
            return
        body = self.query_one("#body")
        body.remove_class("-single")
        body.query_children(Panel).remove_class("-only")
        self.query_one(Engines).focus()

    def action_next_theme(self) -> None:
        """Dark or light."""
        names = [theme.name for theme in themes.OWN]
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]

    def action_pace(self, step: int) -> None:
        """A longer or a shorter interval."""
        self.feed.interval = self.period = stepped(INTERVALS, self.feed.interval, step)
        self._timer.stop()
        self._timer = self.set_interval(self.period, self.beat)

    def action_save_picture(self) -> None:
        """Writes the screen as SVG."""
        from .picture import save  # noqa: PLC0415

        save(self)

    def action_seek(self, seconds: int) -> None:
        """Jumps in the recording."""
        player = self.feed.player
        if player is not None:
            player.seek(min(max(player.position + seconds, 0.0), player.duration))
            self._moved()

    def action_speed(self, step: int) -> None:
        """Plays slower or faster."""
        player = self.feed.player
        if player is not None:
            player.speed = stepped(SPEEDS, player.speed, step)
            self._moved()

    def _moved(self) -> None:
        self._take()
        self.query_one(Top).repaint()
