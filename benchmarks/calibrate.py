"""Fits the estimator's constants on published measurements and says how far they may be trusted.

    python benchmarks/calibrate.py [ROWS.csv] [--write]

With --write the constants file that ships and docs/accuracy.md are written anew.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import msgspec
from fitting.cases import Case, cases
from fitting.fit import Fit
from fitting.report import report
from fitting.validate import held_out, spreads
from llmtop.estimator import constants
from llmtop.estimator.measurements import SHIPPED, load

KEYS: dict[str, Callable[[Case], str]] = {
    "device": lambda case: case.row.hardware,
    "family": lambda case: case.family,
    "source": lambda case: case.row.source,
}


def main() -> None:
    options = argparse.ArgumentParser(description="Fits the estimator's constants on published measurements.")
    options.add_argument("rows", type=Path, nargs="?", default=SHIPPED)
    options.add_argument("--write", action="store_true", help="write the constants file and docs/accuracy.md")
    asked = options.parse_args()
    rows = load(asked.rows)
    found: list[Case] = cases(rows)
    fit = Fit(found)
    theta = fit.settle(fit.everything)
    held = {name: held_out(fit, key) for name, key in KEYS.items()}
    fitted = fit.constants(theta, spreads(held["device"], found, fit.everything))
    text = report(rows, found, fitted, held)
    print(text)
    if asked.write:
        constants.FILE.write_bytes(msgspec.json.format(msgspec.json.encode(fitted, order="sorted"), indent=1) + b"\n")
        (Path(__file__).parents[1] / "docs" / "accuracy.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
