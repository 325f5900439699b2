"""What can this machine run: every model with its speed here, or on hardware to imagine."""

from collections.abc import Callable, Sequence
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, cast

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import ModalScreen
from textual.worker import Worker, WorkerState

from ..commands import FIT
from ..fit.ask import Ask
from ..widgets.fit_words import Words, asked_rows, pointed_rows
from ..widgets.keys import Keys
from ..widgets.offers import Offers
from ..widgets.row import Row, wrap
from .palette import FIT_SCREEN

if TYPE_CHECKING:
    from textual.widgets import Input

    from ...estimator.snapshot import Snapshot
    from ...probes.models.stores.stored import Stored
    from ...probes.sample import ModelFacts
    from ..fit.asking import Answer, Study
    from ..fit.choices import What
    from ..fit.rows import Row as Offered

LEGEND = (
    ("tok/s", "expected", "of one answer; 8 of 10 measurements are in the range"),
    ("needs", "text", "memory: the weights, and a cache for the context"),
    ("context", "text", "the longest one with all of it on the devices"),
    ("1st token", "text", "the wait for it, after a prompt of 1024"),
    ("worth", "text", "the most capable of those as fast as one reads"),
    ("*", "accent", "the quantisation to take"),
)
EXAMPLES = "as in: 2x RTX 3090 + 64GB RAM; M4 Max 40c 64GB; EPYC 9354 12xDDR5-4800 384GB; nothing means this machine"
MOVED = 0.03
"""Share of its memory that must have come free or gone on a device before all is reckoned anew."""
CALM_S = 5.0
"""Seconds between two such times at least."""


class Fit(ModalScreen[None]):
    """The screen."""

    CSS_PATH = "fit.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(command.keys, command.action, command.title, show=False) for command in FIT
    ]

    class DiskRead(Message):
        """The models of this machine are known."""

        def __init__(self, found: "Sequence[tuple[Stored, ModelFacts]]") -> None:
            super().__init__()
            self.found = found

    def __init__(self, snapshot: "Snapshot", *, replay: bool) -> None:
        super().__init__(name=FIT_SCREEN)
        self.ask = self._wanted = Ask()
        self.answer: Answer | None = None
        self._snapshot = snapshot
        self._replay = replay
        self._stored: Sequence[tuple[Stored, ModelFacts]] = ()
        self._offered: Offered | None = None
        self._wrong = ""
        self.asked_at = 0.0
        """When it was last reckoned, on the clock that only goes on."""
        self._asked_of: Snapshot = snapshot

    def compose(self) -> ComposeResult:
        """The question, the table, the row under the cursor, the keys."""
        yield Words(lambda width: asked_rows(self.ask, self.answer, width, replay=self._replay), id="asked")
        yield Offers(id="offers")
        yield Words(lambda width: pointed_rows(self._offered, width), id="pointed")
        yield Words(self._hint, id="hint")
        yield Keys(FIT)

    def on_mount(self) -> None:
        """Reckons once the first picture stands, and looks at the disk."""
        self.query_one(Offers).focus()
        self.watch(self.app, "snapshot", self._news, init=False)
        self.call_after_refresh(self.action_again)

    def action_again(self) -> None:
        """With the memory that is free now, and what is on the disk now."""
        self._put(self._wanted)
        if not self._replay:  # the files here are not those of the machine that was recorded
            Thread(target=self._read_disk, name="disk", daemon=True).start()

    def _read_disk(self) -> None:
        from ..fit.disk import read  # noqa: PLC0415

        self.post_message(self.DiskRead(read()))

    @on(DiskRead)
    def disk_read(self, message: DiskRead) -> None:
        """Puts them at the head."""
        if list(message.found) != list(self._stored):
            self._stored = message.found
            self._put(self._wanted)

    def _put(self, ask: Ask) -> None:
        """Has it reckoned beside the screen; a question that is still open is dropped for it."""
        snapshot, stored, replay = self._snapshot, self._stored, self._replay
        self.asked_at, self._asked_of, self._wanted = monotonic(), snapshot, ask

        def work() -> "Answer":
            from ..fit.asking import answer  # noqa: PLC0415

            return answer(ask, snapshot, stored, replay=replay)

        self._run(work, "answer")

    def _run(self, work: "Callable[[], Answer | Study | str]", group: str) -> None:
        self.run_worker(work, group=group, exclusive=True, thread=True)

    @on(Worker.StateChanged)
    def reckoned(self, event: Worker.StateChanged) -> None:
        """Shows what came out."""
        event.stop()
        worker = cast("Worker[Answer | Study | str]", event.worker)  # pyright: ignore[reportUnknownMemberType]
        if event.state is not WorkerState.SUCCESS or worker.result is None:
            return
        if worker.group == "answer":
            self.tell(cast("Answer", worker.result))
        elif isinstance(worker.result, str):
            self.notify(worker.result, severity="error", timeout=10, markup=False)
        else:
            from .study import StudyPage  # noqa: PLC0415

            self.app.push_screen(StudyPage(cast("Study", worker.result)))

    def tell(self, answer: "Answer") -> None:
        """Shows an answer; where the hardware made no sense, why, and all else stays."""
        if answer.misread:
            self._wrong, self._wanted = answer.problem, self.ask
            self.query_one("#hint", Words).renew()
            return
        self.ask, self.answer = answer.ask, answer
        self.query_one(Offers).tell(answer)
        self.query_one("#asked", Words).renew()
        if self.has_class("-machine"):
            self._leave()

    def _news(self, snapshot: "Snapshot") -> None:
        """This machine as it is now; reckoned anew when that makes a difference."""
        self._snapshot = snapshot
        calm = self.answer is None or monotonic() - self.asked_at >= CALM_S
        if calm and not self._wanted.hardware and _differ(self._asked_of, snapshot):
            self._put(self._wanted)

    @on(Offers.Pointed)
    def pointed(self, message: Offers.Pointed) -> None:
        """Tells more of the row under the cursor."""
        self._offered = message.offered
        self.query_one("#pointed", Words).renew()

    # What the keys do, in the order of the table.

    def action_help(self) -> None:
        """All keys."""
        from .help import Help  # noqa: PLC0415

        self.app.push_screen(Help(FIT, LEGEND))

    def action_back(self) -> None:
        """Leaves the line, then the filter, then the screen."""
        offers = self.query_one(Offers)
        if self.has_class("-machine") or (self.has_class("-filtering") and not offers.pattern):
            self._leave()
        elif offers.pattern:
            for line in self.query("#filter"):
                line.remove()
            offers.filter("")
            self._leave()
        else:
            self.dismiss(None)

    @on(Offers.Studied)
    def action_study(self) -> None:
        """The model under the cursor in depth."""
        offered, answer = self.query_one(Offers).offered, self.answer
        about = answer.about if answer else None
        if offered is None or about is None:
            return
        ask = self.ask

        def work() -> "Study | str":
            from ..fit.asking import study  # noqa: PLC0415

            return study(ask, about, offered)

        self._run(work, "study")

    async def action_filter(self) -> None:
        """Opens the line that filters."""
        await self._line("filter", "filter: name, quantisation, task, place")

    async def action_machine(self) -> None:
        """Opens the line that asks for the hardware."""
        self._wrong = ""
        await self._line("machine", "hardware")

    async def _line(self, name: str, placeholder: str) -> None:
        from textual.widgets import Input  # noqa: PLC0415

        self.remove_class("-filtering", "-machine")
        self.add_class("-filtering" if name == "filter" else "-machine")
        if not self.query(f"#{name}"):
            value = self.ask.hardware if name == "machine" else ""
            line = Input(value, id=name, placeholder=placeholder, compact=True)
            await self.mount(line, before=self.query_one("#hint"))
        self.query_one("#hint", Words).renew()
        self.set_focus(self.query_one(f"#{name}"))

    def _hint(self, width: int) -> list[Row]:
        return wrap(self._wrong, width, 3, "warn") if self._wrong else wrap(EXAMPLES, width, 2, "dim")

    def on_input_changed(self, event: "Input.Changed") -> None:
        """Filters as it is typed."""
        event.stop()
        if event.input.id == "filter":
            self.query_one(Offers).filter(event.value)

    def on_input_submitted(self, event: "Input.Submitted") -> None:
        """Asks about that hardware; or back to the list, which stays filtered."""
        event.stop()
        if event.input.id == "machine":
            self._put(replace(self._wanted, hardware=event.value.strip()))
        else:
            self._leave()

    def _leave(self) -> None:
        self.remove_class("-filtering", "-machine")
        self.query_one(Offers).focus()

    def action_sort(self) -> None:
        """Sorts by the next column."""
        self.notify(f"Models by {self.query_one(Offers).next_order()}.", timeout=2)

    def action_everything(self) -> None:
        """All quantisations, or the best ones."""
        self._put(replace(self._wanted, everything=not self._wanted.everything))

    def action_choose(self, what: "What") -> None:
        """Chooses it from a list."""
        from ..fit.choices import choices, taken  # noqa: PLC0415
        from .choice import Choice  # noqa: PLC0415

        def take(name: str | None) -> None:
            if name:
                self._put(taken(what, self._wanted, name))

        about = self.answer.about if self.answer else None
        found = choices(what, self._wanted, about.box if about else None)
        self.app.push_screen(Choice(found.heading, found.options, found.chosen), take)

    def action_step(self, rows: int) -> None:
        """Moves by rows."""
        self.query_one(Offers).step(rows)

    def action_page(self, pages: int) -> None:
        """Moves by pages."""
        offers = self.query_one(Offers)
        offers.step(pages * offers.page())


def _differ(old: "Snapshot", new: "Snapshot") -> bool:
    """Whether the devices are others, are known better, or have another amount of free memory worth speaking of."""
    lasting = [
        [(each.id, each.name, each.bandwidth_gbs, each.memory_total_bytes) for each in now.devices]
        for now in (old, new)
    ]
    if lasting[0] != lasting[1]:
        return True
    return any(
        abs((was.memory_used_bytes or 0) - (now.memory_used_bytes or 0)) > MOVED * (now.memory_total_bytes or 0)
        for was, now in zip(old.devices, new.devices, strict=True)
    )
