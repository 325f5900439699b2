"""llmtop's estimate beside those of other tools, on the same rows in the same run.

    python benchmarks/peers.py [ROWS.csv] [--held-out] [--json]

With --held-out llmtop's own figures come from constants that never saw the row's device, as in docs/accuracy.md.

Each formula under benchmarks/formulas/ is written anew from the source that its file names. All get llmtop's catalogue
of devices and models, so that the formulas are compared and not the tables; "llmfit, own table" alone takes llmfit's
bandwidths. Compared are decode rows at batch 1 without a power limit (no peer knows of one), and of these the ones that
every formula can answer; "answers" is each one's own share of the rows whose device and model are known. Where llmfit
itself is installed, it is asked too, and compared on the rows that it answers.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from fitting.cases import cases
from fitting.fit import Fit
from fitting.validate import held_out
from formulas.case import GROUPS, Case, case_of
from formulas.gguf_parser import gguf_parser
from formulas.ideal import ideal_roofline, rule_of_thumb
from formulas.llmfit import llmfit, llmfit_own_table
from formulas.llmfit_program import PROGRAM, llmfit_program
from formulas.whichllm import whichllm
from llmtop.estimator import accuracy
from llmtop.estimator.measurements import SHIPPED, BadRows, Measurement, load
from llmtop.estimator.snapshot import Band
from msgspec import Struct

OURS = "llmtop"
PROGRAM_NAME = "llmfit itself"
PEERS: dict[str, Callable[[Case], float | None]] = {
    "llmfit": llmfit,
    "llmfit, own table": llmfit_own_table,
    "whichllm": whichllm,
    "gguf-parser": gguf_parser,
    "ideal roofline": ideal_roofline,
    "rule of thumb": rule_of_thumb,
}


class Prediction(Struct, frozen=True, kw_only=True):
    """What each estimator says of one row in tokens/s; None where it cannot answer."""

    case: Case
    tps: dict[str, float | None]


def ours(case: Case) -> float | None:
    """Tokens/s by llmtop's own estimator."""
    predicted = accuracy.answer(case.row).predicted
    return predicted.value if predicted else None


def unseen(rows: list[Measurement]) -> Callable[[Case], float | None]:
    """Llmtop's own estimator fitted anew without the device of the row that it is asked for."""
    found = cases(rows)
    answers = held_out(Fit(found), lambda case: case.row.hardware)
    by_id = {each.row.id: each.predicted.value for each in answers if each.predicted}
    return lambda case: by_id.get(case.row.id)


def scored(rows: list[Prediction], name: str) -> accuracy.Score:
    """The figures of one estimator, as `llmtop accuracy` makes its own."""
    found = [(row.case.row, row.tps[name]) for row in rows]
    bands = [(row, None if tps is None else Band(value=tps, low=tps, high=tps)) for row, tps in found]
    return accuracy.score([accuracy.Answer(row=row, predicted=band) for row, band in bands])


def predictions(known: list[Case], own: Callable[[Case], float | None]) -> list[Prediction]:
    asked = {OURS: own, **PEERS, **({PROGRAM_NAME: llmfit_program} if PROGRAM else {})}
    return [Prediction(case=case, tps={name: ask(case) for name, ask in asked.items()}) for case in known]


def compared(rows: list[Prediction], names: list[str]) -> dict[str, dict[str, accuracy.Score]]:
    """Scores by group and name, on the rows that all of `names` answer."""
    shared = [row for row in rows if all(row.tps[name] is not None for name in names)]
    table: dict[str, dict[str, accuracy.Score]] = {}
    for group in GROUPS:
        members = [row for row in shared if group in row.case.groups]
        if members:
            table[group] = {name: scored(members, name) for name in names}
    return table


def show(title: str, rows: list[Prediction], names: list[str]) -> None:
    print(f"\n{title}")
    print(f"{'':20}{'':20}{'rows':>6}{'median':>8}{'p90':>8}{'<= 20 %':>9}{'to ours':>9}{'bias':>7}{'answers':>9}")
    for group, scores in compared(rows, names).items():
        known = [row for row in rows if group in row.case.groups]
        for place, (name, found) in enumerate(scores.items()):
            answered = sum(row.tps[name] is not None for row in known) / len(known)
            median, own = found.median_error or 0.0, scores[OURS].median_error
            print(
                f"{group if place == 0 else '':20}{name:20}{found.answered:6}{median:8.1%}{found.p90_error:8.1%}"
                f"{found.within_20:9.1%}{f'{median / own:.2f}' if own else '-':>9}{found.bias:7.2f}{answered:9.1%}"
            )


def wanted(row: Measurement) -> bool:
    return row.metric == "decode_tps" and row.batch == 1 and row.power_limit_w is None


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("rows", nargs="?", type=Path, default=SHIPPED, help="a CSV file of measurements")
    options.add_argument("--json", action="store_true", help="scores and every prediction as JSON")
    options.add_argument("--held-out", action="store_true", help="llmtop's own figures without the row's device")
    asked = options.parse_args()
    try:
        every = load(asked.rows)
        rows = [row for row in every if wanted(row)]
    except BadRows as error:
        print(error, file=sys.stderr)
        return 1
    own = unseen(every) if asked.held_out else ours
    known = predictions([case for row in rows if (case := case_of(row)) is not None], own)
    one = [row for row in known if row.case.n_devices == 1]
    several = [row for row in known if row.case.n_devices > 1]
    formulas = [OURS, *PEERS]
    tables = {"one device": (one, formulas), "several devices": (several, formulas)}
    if PROGRAM:
        tables["one device, llmfit itself beside its formula"] = (one, [*formulas, PROGRAM_NAME])
    if asked.json:
        document = {
            "scores": {title: compared(*table) for title, table in tables.items()},
            "rows": [
                {"id": row.case.row.id, "measured_tps": row.case.row.value, "predicted_tps": row.tps} for row in known
            ],
            "unknown_rows": len(rows) - len(known),
        }
        print(msgspec.json.format(msgspec.json.encode(document)).decode())
        return 0
    print(f"{len(rows)} decode rows at batch 1 without a power limit; device and model are known of {len(known)}")
    for title, (table, names) in tables.items():
        show(f"{title}: {len(table)} rows", table, names)
    return 0


if __name__ == "__main__":
    sys.exit(main())
