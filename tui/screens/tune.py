"""How far the power limit can come down: each limit measured on the engine that runs, and put back afterwards."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual import on
from textual.binding import Binding, BindingType

from ..commands import TUNE
from ..format import percent
from ..tune.wish import Wish
from ..widgets.power_axis import paces
from ..widgets.power_list import PowerList
from ..widgets.power_slider import PowerSlider
from . import tune_questions as questions
from .agree import Agree
from .tune_view import TuneView

if TYPE_CHECKING:
    from ...estimator.tuning.point import Point
    from ..tune.tuning import Tuning

LIVELY_S = 5.0
"""Seconds after a key in which every beat is shown."""
LEAST_KEEP, MOST_KEEP = 0.5, 0.99
LEGEND = (
    ("● ◉", "measured", "measured; the limit of now"),
    ("│", "measured", "what it may be off, with 95 % confidence"),
    ("□", "text", "measured in the other phase"),
    ("◆", "good", "chosen: the lowest that surely keeps enough"),
    ("⠒⠒", "expected", "expected of this device; drawn anew through what is measured"),
    ("✓ ? ✗", "text", "keeps enough, cannot be told yet, does not"),
    ("×", "ceiling", "joules a token, on the scale at the right"),
)


class Tune(TuneView):
    """The screen with its keys, in the order of the table."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(command.keys, command.action, command.title, show=False) for command in TUNE
    ]

    def _go(self) -> "Tuning | None":
        """The tuning, and for some seconds every beat of it."""
        self.lively_until = monotonic() + LIVELY_S
        return self.tuning

    def action_help(self) -> None:
        """All keys."""
        from .help import Help  # noqa: PLC0415

        self.monitor.push_screen(Help(TUNE, LEGEND))

    def action_back(self) -> None:
        """Leaves; a sweep is asked about first."""
        if self.moment is not None and self.tuning is not None and self.tuning.state.progress is not None:
            self._ask(questions.leaving(self.tuning.state), self._leave_screen)
        else:
            self.dismiss(None)

    def _leave_screen(self) -> None:
        self.dismiss(None)

    def action_move(self, direction: int, size: int) -> None:
        """Another limit, by a step."""
        tuning = self._go()
        if tuning is not None:
            here = tuning.state.limit_w if self.wanted_w is None else self.wanted_w
            self._set(here + direction * paces(tuning.state)[size])

    @on(PowerSlider.Asked)
    def slid(self, message: PowerSlider.Asked) -> None:
        """Sets the limit that was clicked."""
        message.stop()
        self._set(message.limit_w)

    def _set(self, limit_w: float) -> None:
        tuning = self._go()
        if tuning is not None:
            self.wanted_w = tuning.ladder.within(limit_w)
            tuning.set(self.wanted_w)
            self.show()

    def action_sweep(self) -> None:
        """Begins a sweep, or stops the one that runs."""
        tuning = self._go()
        if tuning is None:
            return
        if tuning.state.progress is not None:
            tuning.abort()
        elif tuning.target.engine is None:
            self.notify("No engine runs: there is no speed to measure.", severity="warning")
        elif tuning.target.may_write is False:
            self.notify("This user may not set the limit: set it elsewhere, one after the other.", severity="warning")
        else:
            self._ask(questions.sweeping(tuning), tuning.sweep)

    def _ask(self, page: Agree, then: Callable[[], None]) -> None:
        def answered(agreed: bool | None) -> None:
            if agreed:
                self._go()
                then()

        self.monitor.push_screen(page, answered)

    def action_apply(self) -> None:
        """Sets the limit that was chosen."""
        tuning = self._go()
        if tuning is not None:
            self.wanted_w = tuning.state.chosen_w
            tuning.apply()

    def action_revert(self) -> None:
        """Puts the limit back."""
        tuning = self._go()
        if tuning is not None:
            self.wanted_w = None
            tuning.revert()

    def action_keep(self) -> None:
        """Leaves the limit as it is, also after the end."""
        tuning = self._go()
        if tuning is None:
            return
        if tuning.state.changed and tuning.state.progress is None:
            self._ask(questions.keeping(tuning.state), tuning.keep)
        else:
            tuning.keep()

    def action_share(self, percents: int) -> None:
        """Another share of the speed that is to be kept."""
        tuning = self._go()
        if tuning is not None:
            keep = min(max(round(self.wish.keep + percents / 100.0, 2), LEAST_KEEP), MOST_KEEP)
            self.wish = replace(self.wish, keep=keep)
            tuning.ask(keep)
            self.notify(f"At least {percent(keep)} of the speed is to be kept.", timeout=2)

    def action_load(self) -> None:
        """The load that runs, or one that llmtop makes."""
        tuning = self._free()
        if tuning is None:
            return
        if self.wish.generate:
            self._again(replace(self.wish, generate=False))
        elif tuning.target.engine is None:
            self.notify("No engine runs that could be sent requests.", severity="warning")
        else:
            self._ask(questions.loading(tuning), lambda: self._again(replace(self.wish, generate=True)))

    def action_phase(self) -> None:
        """What is measured."""
        from .choice import Choice  # noqa: PLC0415

        tuning = self._free()
        if tuning is None:
            return

        def take(name: str | None) -> None:
            phases = questions.PHASES.get(name or "")
            if phases and phases != self.wish.phases and self.tuning is not None:
                self._again(replace(self.wish, phases=phases), self.tuning.bench.counted)

        options = [(name, questions.PHASE_WORDS[name]) for name in questions.PHASES]
        chosen = next((name for name, phases in questions.PHASES.items() if phases == self.wish.phases), "")
        self.monitor.push_screen(Choice("what is measured?", options, chosen), take)

    def _free(self) -> "Tuning | None":
        """The tuning, where it may be begun anew."""
        tuning = self._go()
        if tuning is not None and (tuning.state.goes_back or tuning.state.progress is not None):
            back = "stop the sweep first (s)" if tuning.state.progress else "put the limit back first (r)"
            self.notify(f"This begins the tuning anew: {back}.", severity="warning")
            return None
        return tuning

    def _again(self, wish: Wish, points: "Sequence[Point]" = ()) -> None:
        self.wish = wish
        self.end()
        self.open(points)

    def action_scroll(self, lines: int) -> None:
        """Scrolls the list."""
        self.query_one(PowerList).scroll_rows(lines)
