"""Which rate leads the panel now: decode, or prefill while prompts are read and nothing is generated."""

from typing import Literal, NamedTuple

from ...estimator.snapshot import Band, EngineView
from ...probes.sample import Liveness
from .. import format as fmt


class Lead(NamedTuple):
    """A measured rate with what it is held against."""

    phase: Literal["decode", "prefill"]
    measured: float | None
    band: Band | None
    ceiling: float | None
    liveness: Liveness | None
    limit: str
    about: bool = False
    """Whether the rate is counted in pieces of about a token each."""

    @property
    def of_expected(self) -> float | None:
        """Measured against what is expected."""
        band = self.band
        return self.measured / band.value if self.measured is not None and band is not None and band.value else None

    @property
    def of_ceiling(self) -> float | None:
        """Measured against the ceiling."""
        return self.measured / self.ceiling if self.measured is not None and self.ceiling else None


LIMITS = {"bandwidth": "memory bandwidth", "compute": "compute"}


def lead(view: EngineView) -> Lead:
    """The rate to show large."""
    ceiling, expected = view.ceiling, view.expected
    if not view.decode_tps and view.prefill_tps and view.status == "ok":
        return Lead(
            "prefill", view.prefill_tps, expected.prefill_tps, ceiling.prefill_tps, view.prefill_liveness, "compute"
        )
    limit = LIMITS.get(ceiling.limit or "", "")
    return Lead("decode", view.decode_tps, expected.decode_tps, ceiling.decode_tps, view.liveness, limit, view.about)


def figure(shown: Lead) -> str:
    """The rate as a person reads it: "62.1", and "~62.1" where it is about right only."""
    about = "~" if shown.about and shown.measured is not None else ""
    return f"{about}{fmt.exact_rate(shown.measured)}"


def verdict(shown: Lead) -> tuple[str, str]:
    """Where the measured rate lies against the expected band, in a word, and the ink for it."""
    if shown.band is None or shown.measured is None:
        return "", "dim"
    if shown.measured < shown.band.low:
        return "below", "warn"
    return ("above", "good") if shown.measured > shown.band.high else ("within", "good")


def blind(view: EngineView) -> bool:
    """Whether it answers, and tells neither a rate nor whether it works."""
    return (
        view.status == "ok" and view.decode_tps is None and view.prefill_tps is None and view.requests_running is None
    )


def asleep(view: EngineView) -> bool:
    """Whether it makes no tokens that are known of, so that a rate of zero would say nothing."""
    return view.status != "ok" or (not view.decode_tps and not view.prefill_tps and not view.requests_running)
