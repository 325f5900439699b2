"""What `llmtop tune` says at its end."""

import argparse
import sys

from ..answer import width
from ..format import watts
from ..output import say
from ..refusal import Refusal
from .document import document
from .state import State
from .table import comma_separated, line, text
from .target import Target
from .tuning import Tuning

INTERRUPTED = 130


def tell(tuning: Tuning, options: argparse.Namespace, *, stopped: bool, watched: bool) -> int:
    """Prints all that was found, also after an early end.

    Args:
        tuning: that has ended.
        options: of the command.
        stopped: it was told to end.
        watched: somebody else set the limits, since this user may not: that is no failure.

    Raises:
        Refusal: not all of it could be done.
    """
    state = tuning.state
    if options.json:
        body = document(tuning.target, state, restored=not state.changed, wish_keep=options.keep)
        sys.stdout.buffer.write(body + b"\n")
    elif options.csv:
        print(comma_separated(state.choices))  # noqa: T201
    elif state.points:
        print("\n".join([*_found(state), "", *_ending(tuning.target, state, asked=options.keep_limit)]))  # noqa: T201
    if options.json or options.csv:
        for remark in state.remarks:
            say(remark)
        if state.kept:
            say(f"this undoes it: {'; '.join(state.kept)}")
    if stopped:
        return INTERRUPTED
    if state.problem and not (watched and state.denied):
        raise Refusal(state.problem)
    return 0


def _found(state: State) -> list[str]:
    if state.choices:
        return [text(state, width())]
    highest = watts(state.highest_w)
    return [*map(line, state.points), "", f"Nothing to compare them with: {highest} was not measured."]


def _ending(about: Target, state: State, *, asked: bool) -> list[str]:
    lines = [f"note: {remark}" for remark in state.remarks]
    if state.kept is not None:
        lines.append(f"The limit stays at {watts(state.limit_w)}. This undoes it: {'; '.join(state.kept)}")
        if any(limit.address.kind == "nvml" for limit in about.flat):
            lines.append(
                "Without persistence mode (sudo nvidia-smi -pm 1) the driver forgets it when nobody uses the GPU."
            )
    elif state.changed:
        lines.append(f"The limit is at {watts(state.limit_w)}; it was {watts(state.original_w)} before.")
    else:
        lines.append(f"The limit is {watts(state.original_w)}, as before.")
        if asked:
            lines.append(
                "There is none to keep: " + ("none was chosen." if state.chosen_w is None else "it is the best.")
            )
    return lines
