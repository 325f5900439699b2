"""The focus panel: the answer for one engine."""

from collections.abc import Sequence

from textual.reactive import reactive

from ...estimator.snapshot import EngineView, Snapshot
from ..format import address
from .answer import answer, nothing
from .panel import Panel
from .row import Row
from .words import model_name

EMPTY = Snapshot(time=0.0, wall=0.0)


def pick(engines: Sequence[EngineView], current: str, *, chosen: bool) -> str:
    """The url of the engine to show: what the person chose, else one that works, and no jumping about."""
    by_id = {view.id: view for view in engines}
    held = by_id.get(current)
    if held is not None and (chosen or held.status == "ok"):
        return current
    busy = max((view for view in engines if view.status == "ok"), key=lambda view: view.decode_tps or 0.0, default=None)
    if busy is not None:
        return busy.id
    if held is not None and held.status not in {"unreachable", "unsupported"}:
        return current
    calm = next((view for view in engines if view.status not in {"unreachable", "unsupported"}), None)
    return calm.id if calm is not None else current if held is not None else engines[0].id if engines else ""


def title(view: EngineView) -> str:
    """The words in the border: which engine this is."""
    slots = f"{view.slots} slot{'s' if view.slots != 1 else ''}" if view.slots else ""
    through = f"through {view.via}" if view.via else ""
    parallel = f"TP {view.tensor_parallel}" if view.tensor_parallel and view.tensor_parallel > 1 else ""
    words = (f"{view.engine} {address(view.url)}", model_name(view), slots, parallel, through)
    return " ─ ".join(part for part in words if part)


class Focus(Panel):
    """Measured, expected and ceiling of one engine."""

    snapshot: reactive[Snapshot] = reactive(EMPTY, repaint=False, init=False)
    row_id: reactive[str] = reactive("", repaint=False, init=False)
    period: reactive[float] = reactive(1.0, repaint=False, init=False)

    def view(self) -> EngineView | None:
        """The engine in focus."""
        return next((view for view in self.snapshot.engines if view.id == self.row_id), None)

    def watch_snapshot(self) -> None:
        """Draws the new state."""
        self._renew()

    def watch_row_id(self) -> None:
        """Draws the other engine."""
        self._renew()

    def paint(self, width: int, height: int) -> Sequence[Row]:
        """The answer, or what to do without an engine."""
        view = self.view()
        if view is None:
            return nothing(self.snapshot, width, height)
        return answer(view, self.snapshot.decode_trails.get(view.id, ()), self.period, width, height)

    def _renew(self) -> None:
        view = self.view()
        self.retitle(f"¹ {title(view)}" if view is not None else "¹ no engine")
        self.repaint()
