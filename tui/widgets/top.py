"""The top line: where this is, how many engines, the pace and the clock, or the state of the recording."""

from collections.abc import Sequence

from textual.reactive import reactive

from ...estimator.snapshot import Snapshot
from .. import format as fmt
from ..feed import Player
from .focus import EMPTY
from .hardware import box_watts
from .painted import Painted
from .row import Row, Span, length, parts, row


def machine(snapshot: Snapshot) -> list[tuple[int, list[Span]]]:
    """The pieces about the machine, and when to drop them."""
    pieces: list[tuple[int, list[Span]]] = [(0, [("llmtop", "measured")])]
    host = snapshot.host
    if host is not None:
        pieces.append((1, [(host.name, "strong")]))
        pieces.append((4, [(host.os.split(",")[0].split(" (")[0], "dim")]))
        if host.cpu:
            cores = f", {host.cores} cores" if host.cores else ""
            pieces.append((3, [(f"{host.cpu}{cores}", "dim")]))
        if host.memory_total_bytes:
            pieces.append((5, [(fmt.used_of(host.memory_used_bytes, host.memory_total_bytes), "dim")]))
    number = len(snapshot.engines)
    pieces.append((2, [(f"{number or 'no'} engine{'s' if number != 1 else ''}", "text")]))
    drawn = box_watts(snapshot)
    if drawn is not None:
        pieces.append((2, [(fmt.watts(drawn), "strong"), (" in all", "dim")]))
    return pieces


def playing(player: Player) -> list[Span]:
    """Where the recording is."""
    share = player.position / player.duration if player.duration > 0 else 0.0
    at = min(int(share * 12), 11)
    speed = f" ×{player.speed:g}" if player.speed != 1 else ""
    return [
        ("❚❚ paused " if player.paused else "▶ replay ", "warn" if player.paused else "accent"),
        ("━" * at + "●", "measured"),
        ("─" * (11 - at), "faint"),
        (f" {fmt.position(player.position)} of {fmt.position(player.duration)}{speed}", "text"),
    ]


class Top(Painted):
    """One line at the top."""

    snapshot: reactive[Snapshot] = reactive(EMPTY, repaint=False, init=False)
    period: reactive[float] = reactive(1.0, repaint=False, init=False)
    paused: reactive[bool] = reactive(default=False, repaint=False, init=False)

    def __init__(self, player: Player | None, *, id: str | None = None) -> None:  # noqa: A002 # Textual's name
        super().__init__(id=id)
        self._player = player

    def watch_snapshot(self) -> None:
        """Draws the new state."""
        self.repaint()

    def watch_period(self) -> None:
        """Shows the new pace."""
        self.repaint()

    def watch_paused(self) -> None:
        """Shows whether the picture stands."""
        self.repaint()

    def paint(self, width: int, height: int) -> Sequence[Row]:
        """The line."""
        del height
        tail: list[Span] = []
        if self._player is not None:
            tail = [*playing(self._player), ("  ", "text")]
        elif self.paused:
            tail = [(" ❚❚ paused ", "paused"), ("  ", "text")]
        else:
            tail = [(f"every {fmt.interval(self.period)}  ", "dim")]
        if self.snapshot.wall:
            tail.append((fmt.clock(self.snapshot.wall), "text"))
        room = width - length(tail)
        start = parts(max(room - 2, 6), 2, machine(self.snapshot))
        return (row(*start.spans, (" " * (room - start.width), "text"), *tail),)
