"""The words and symbols for what an engine is doing. A symbol and a word always go together with a colour."""

from ...estimator.snapshot import EngineView
from ...probes.sample import Liveness, Status

STATUS: dict[Status, tuple[str, str, str]] = {
    "ok": ("●", "running", "good"),
    "idle": ("○", "idle", "dim"),
    "loading": ("◐", "loading", "expected"),
    "sleeping": ("◌", "sleeping", "dim"),
    "unauthorized": ("▲", "needs a key", "warn"),
    "unreachable": ("✕", "gone", "bad"),
    "unsupported": ("▲", "unsupported", "warn"),
}
"""Symbol, word and ink of each status."""

LIVENESS: dict[Liveness, tuple[str, str]] = {
    "token": ("live, per token", "dim"),
    "step": ("live, per step", "dim"),
    "interval": ("every few seconds", "dim"),
    "request": ("moves at request end", "warn"),
}
"""How often the count behind a rate moves, and the ink for it."""

ADVICE: dict[Status, str] = {
    "loading": "It is shown as soon as it answers.",
    "sleeping": "The model is out of memory until the next request; llmtop does not wake it.",
    "unauthorized": "Put its API key into an environment variable and start llmtop with --api-key-env NAME.",
    "unreachable": "It comes back here by itself when it answers again.",
}
"""What a person can do about it."""


BLIND = ("●", "speed unknown", "warn")
"""The same for an engine that answers, and tells nothing of what it does."""


def model_name(view: EngineView) -> str:
    """Model and quantisation in one string; empty when unknown."""
    if view.model is None:
        return ""
    quantization = view.model.quantization
    name = view.model.name
    return f"{name} {quantization}" if quantization and quantization.lower() not in name.lower() else name


def idle_for(trail: tuple[float | None, ...], period: float) -> tuple[float, float] | None:
    """Seconds since the last token and the rate then, if the history reaches back that far."""
    for back, value in enumerate(reversed(trail)):
        if value:
            return back * period, value
    return None
