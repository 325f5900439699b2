"""What stands around the table of models: what is asked above it, the row under the cursor below it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.geometry import Size

from .. import format as fmt
from .fit_table import parameters
from .painted import Painted
from .row import BLANK, Row, Span, parts, wrap

if TYPE_CHECKING:
    from ...probes.sample import Device
    from ..fit.ask import Ask
    from ..fit.asking import Answer
    from ..fit.rows import Row as Offered


class Words(Painted):
    """Lines that change now and then; as high as they are."""

    def __init__(self, make: Callable[[int], Sequence[Row]], *, id: str | None = None) -> None:  # noqa: A002 # Textual's name
        super().__init__(id=id)
        self._make = make
        self._height = -1

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as its rows."""
        del container, viewport
        self._height = len(self._make(width))
        return self._height

    def paint(self, width: int, height: int) -> Sequence[Row]:
        """All rows."""
        del height
        return self._make(width)

    def renew(self) -> None:
        """Draws again, and makes room where there are more lines than before."""
        if self.size.width and len(self._make(self.content_size.width)) != self._height:
            self.refresh(layout=True)
        self.repaint()


def asked_rows(ask: "Ask", answer: "Answer | None", width: int, *, replay: bool) -> list[Row]:
    """The machine, then the engine, the context and the free memory, then what was assumed."""
    about = answer.about if answer else None
    if ask.hardware and (about is None or about.local):
        words = ask.hardware
    else:
        words = about.words if about else "this machine"
    lines = wrap(f"What can run on {words}", width, 2, "strong")
    pieces: list[tuple[int, list[Span]]] = [
        (0, [(ask.engine, "text")]),
        (1, [(f"{ask.context // 1024}k of context", "text")]),
        (1, [(f"KV cache {ask.kv}", "text")] if ask.kv != "f16" else []),
        (1, [(f"made for {ask.task}", "text")] if ask.task else []),
        (1, [(f"from {ask.least_tps:g} tok/s", "text")] if ask.least_tps else []),
        (4, [("all quantisations", "text")] if ask.everything else []),
    ]
    if about is not None and about.local:
        pieces.append((2, [(_free(about.box.gpus, "GPU"), "dim")]))
        pieces.append((3, [(_free((about.box.cpu,) if about.box.cpu else (), "RAM"), "dim")]))
    if about is not None:
        pieces.append((5, [("imagined" if not about.local else "as recorded" if replay else "this machine", "dim")]))
    lines.append(parts(width, 3, pieces))
    notes = about.notes if about else ()
    return [*lines, *(line for note in notes[:2] for line in wrap(f"note: {note}", width, 2, "dim"))]


def _free(devices: "Sequence[Device]", word: str) -> str:
    """What other programs leave of them, where that is known."""
    known = [each for each in devices if each.memory_used_bytes is not None and each.memory_total_bytes is not None]
    total = sum(each.memory_total_bytes or 0 for each in known)
    used = sum(each.memory_used_bytes or 0 for each in known)
    return f"{word} {fmt.used_of(total - used, total)} free" if known else ""


def pointed_rows(offered: "Offered | None", width: int) -> list[Row]:
    """Two lines about the row under the cursor."""
    if offered is None:
        return [BLANK, BLANK]
    size = parameters(offered).replace("/", ", ")
    size = f"{size} active" if "," in size else size
    known = (f"{size} parameters" if size else "", f"from {offered.released}" if offered.released else "")
    more = [*known, ", ".join(offered.tasks), offered.store or ""]
    name: list[Span] = [(offered.model, "strong"), (f" {offered.quant}" if offered.quant else "", "text")]
    pieces = [(0, name), *((at, [(word, "dim")]) for at, word in enumerate(more, 1) if word)]
    return [parts(width, 3, pieces), parts(width, 3, _figures(offered))]


def _figures(offered: "Offered") -> list[tuple[int, list[Span]]]:
    from ..answer import LIMITS  # noqa: PLC0415 - by then it is loaded; before, it would delay the first picture

    if not offered.fits:
        missing = fmt.size(offered.memory_bytes - offered.memory_free_bytes)
        freed: list[Span] = [("it fits when other programs end", "text")] if offered.fits_when_emptied else []
        return [(0, [(f"does not fit: {missing} of memory are missing", "warn")]), (1, freed)]
    rate, wait, prefill = offered.decode_tps, offered.ttft_s, offered.prefill_tps
    roof = offered.ceiling_tps
    share = f"{fmt.percent(rate.value / roof)} of the {fmt.exact_rate(roof)} ceiling" if rate and roof else ""
    return [
        (0, [(f"first token after {fmt.seconds(wait.value)}" if wait else "", "text")]),
        (1, [(f"prefill {fmt.exact_rate(prefill.value)} tok/s" if prefill else "", "text")]),
        (2, [(share, "ceiling")]),
        (3, [(LIMITS.get(offered.limit or "", ""), "dim")]),
        (4, [("would run better when other programs end" if offered.fits_when_emptied else "", "dim")]),
    ]
