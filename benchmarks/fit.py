"""Whether `llmtop fit` calls anything impossible that somebody has measured, and whether its memory is what is taken.

    python benchmarks/fit.py [ROWS.csv] [--all]

Rows of one device, each with the model and the context that it was measured with. Those that the device does not hold
by the estimate are printed, with what is missing; --all prints how full each device was, the fullest first.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / ".src")]

from llmtop.estimator import memory  # noqa: E402
from llmtop.estimator.accuracy import question  # noqa: E402
from llmtop.estimator.catalogue.names import UnknownName  # noqa: E402
from llmtop.estimator.measurements import SHIPPED, Measurement, load  # noqa: E402
from llmtop.estimator.question import plan  # noqa: E402
from llmtop.estimator.terms import Unanswerable  # noqa: E402
from msgspec import Struct  # noqa: E402

GIB = 1 << 30


class Held(Struct, frozen=True, kw_only=True):
    """What one row says of one device."""

    row: Measurement
    needed_bytes: float
    usable_bytes: float

    @property
    def missing_bytes(self) -> float:
        """0 where it fits."""
        return max(self.needed_bytes - self.usable_bytes, 0.0)


def held(rows: Iterable[Measurement]) -> list[Held]:
    """The rows of one device whose memory is known; what was measured must have been there."""
    found: list[Held] = []
    for row in rows:
        if row.n_devices != 1:
            continue
        try:
            asked = question(row)
            laid = plan(asked)
        except (UnknownName, Unanswerable):
            continue
        room = memory.usable(asked.devices[0], asked.software.engine.name)
        if room is not None:
            found.append(Held(row=row, needed_bytes=laid.needed.total_bytes, usable_bytes=room))
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("rows", type=Path, nargs="?", default=SHIPPED)
    options.add_argument("--all", action="store_true", help="all rows, the fullest device first")
    asked = options.parse_args()
    found = held(load(asked.rows))
    impossible = [each for each in found if each.missing_bytes]
    shown = found if asked.all else impossible
    for each in sorted(shown, key=lambda one: one.usable_bytes - one.needed_bytes):
        row = each.row
        print(
            f"{row.id:7}{row.hardware[:26]:27}{row.engine[:19]:20}{row.model[:24]:25}{row.quant:12}"
            f"{each.needed_bytes / GIB:6.2f} of {each.usable_bytes / GIB:6.2f} GiB"
            f"{each.missing_bytes / GIB:6.2f} missing{row.value or 0:9.2f} {row.metric}  {row.note[:40]}"
        )
    combinations = {(each.row.hardware, each.row.model, each.row.quant) for each in impossible}
    print(
        f"{len(found)} rows of one device with known memory, {len(impossible)} of them"
        f" ({len(combinations)} combinations) that do not fit by the estimate"
    )


if __name__ == "__main__":
    main()
