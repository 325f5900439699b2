"""The constants that ship are those that the fit gives: nobody has touched them by hand, nor forgotten to fit anew."""

import subprocess
import sys
from pathlib import Path

import pytest
from llmtop.estimator.accuracy import answers, score
from llmtop.estimator.constants import constants
from llmtop.estimator.measurements import SHIPPED, load

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
FIT = """
import msgspec, sys
from fitting.cases import cases
from fitting.fit import Fit
from llmtop.estimator.measurements import SHIPPED, load
fit = Fit(cases(load(SHIPPED)))
theta = fit.settle(fit.everything)
sys.stdout.buffer.write(msgspec.json.encode(fit.constants(theta, {})))
"""


def test_the_fit_gives_the_constants_that_ship() -> None:
    done = subprocess.run([sys.executable, "-c", FIT], capture_output=True, cwd=BENCHMARKS, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    from msgspec.json import decode  # noqa: PLC0415

    fitted, shipped = decode(done.stdout), constants()
    for phase, tables in (("decode", shipped.decode), ("prefill", shipped.prefill)):
        for term, factors in tables.items():
            for name, factor in factors.items():
                assert fitted[phase][term].get(name, 1.0) == pytest.approx(factor, rel=0.03), (phase, term, name)


def test_the_shipped_rows_are_answered_and_lie_in_their_bands() -> None:
    """The fit has seen these rows: it is a guard against breaking the estimator, not a measure of it."""
    found = score(answers(load(SHIPPED)))
    assert found.answered >= 0.995 * found.rows
    assert found.median_error is not None and found.median_error < 0.10
    assert found.in_band is not None and 0.75 < found.in_band < 0.95
