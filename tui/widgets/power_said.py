"""What a tuning says in sentences, below its chart."""

from collections.abc import Iterator

from ..format import percent, watts
from ..tune.state import State
from .power_facts import chosen_w, expected_w
from .power_words import Moment
from .row import Row, wrap


def said_rows(moment: Moment, width: int, height: int) -> list[Row]:
    """The answer, what went wrong, and what happened."""
    found: list[Row] = []
    for words, ink in _said(moment):
        if len(found) < height:
            found += wrap(_with_keys(words), width, min(height - len(found), 3), ink)
    return found


def _with_keys(words: str) -> str:
    """What the command does by a flag the screen does by a key."""
    return words.replace("(--load generate)", "(g)").replace(" (--measure)", "")


def _said(moment: Moment) -> Iterator[tuple[str, str]]:
    state = moment.state
    if state.problem:
        yield f"✕ {state.problem}", "bad"
    if state.kept is not None:
        yield f"✓ {watts(state.limit_w)} stays after quitting. This undoes it:", "good"
        for command in state.kept:
            yield command, "text"
    if moment.forbidden:
        yield from _elsewhere(moment)
    yield from _answers(state)
    yield from _expectation(moment)
    for remark in reversed(state.remarks):
        yield f"note: {remark}", "dim"


def _elsewhere(moment: Moment) -> Iterator[tuple[str, str]]:
    """Where somebody else has to do it."""
    if moment.commands:
        yield "Set it in another terminal; what it does is measured here:", "text"
    for less, command in moment.commands:
        yield f"{less:g} W less: {command}", "strong"


def _answers(state: State) -> Iterator[tuple[str, str]]:
    """The answer of each phase, then all else."""
    choices = [choice for choice in state.choices if len(choice.steps) > 1 or not state.curve]
    names = {choice.phase: f"{choice.phase}: " if len(state.choices) > 1 else "" for choice in choices}
    for choice in choices:
        for sentence in choice.sentences[:1]:
            yield f"{names[choice.phase]}{sentence}", "warn" if choice.uneven else "strong"
    for choice in choices:
        for sentence in choice.sentences[1:]:
            yield f"{names[choice.phase]}{sentence}", "text"


def _expectation(moment: Moment) -> Iterator[tuple[str, str]]:
    """Before two limits were measured."""
    state = moment.state
    if chosen_w(state) is not None:
        return
    at_w = expected_w(state)
    if at_w is None:
        if not state.curve:
            yield "Nothing is known beforehand of how this device answers to its limit: measuring tells.", "dim"
        return
    guesses = {guess.power_limit_w: guess for guess in state.curve}
    less = guesses[max(guesses)].power_w - guesses[at_w].power_w
    each = " each" if len(moment.about.devices) > 1 else ""
    saving = (
        f" and draw {watts(less)} less{each}" if less >= 1.0 else ", and a higher one is not expected to be reached"
    )
    basis = "Going by what was measured" if state.refitted else "Expected of such a device, not measured"
    yield f"{basis}: {watts(at_w)} should keep {percent(state.keep)} of the speed{saving}.", "expected"
