"""What a tuning found, as JSON. Names and units are a contract."""

import msgspec

from ...estimator.snapshot import SCHEMA
from ...estimator.tuning.choice import Choice
from ...estimator.tuning.point import Point
from .state import State
from .target import Target


def document(target: Target, state: State, *, restored: bool, wish_keep: float) -> bytes:
    """The whole answer; a choice for each phase that was measured stands in `phases`."""
    choice = state.choices[0] if state.choices else None
    chosen = next(
        (each.chosen for each in state.choices if each.chosen and each.chosen.power_limit_w == state.chosen_w), None
    )
    fields: dict[str, object] = {
        "schema": SCHEMA,
        "device": target.devices[0].id,
        "devices": [{"id": device.id, "name": device.name} for device in target.devices],
        "engine": target.engine.engine if target.engine else None,
        "url": target.engine.url if target.engine else None,
        "keep": wish_keep,
        "baseline": _point(choice.baseline) if choice else None,
        "points": [_point(point) for point in state.points],
        "chosen": _point(chosen) if chosen else None,
        "kept": _of_chosen(state, "kept"),
        "kept_low": _of_chosen(state, "kept_low"),
        "saved_w": _of_chosen(state, "saved_w"),
        "power_limit_before_w": state.original_w,
        "restored": restored,
        "undo": state.kept,
        "phases": {each.phase: _choice(each) for each in state.choices},
        "remarks": state.remarks,
        "problem": state.problem,
    }
    return msgspec.json.format(msgspec.json.encode(fields))


def _of_chosen(state: State, name: str) -> float | None:
    """Of the phase that wants the highest limit: the one that is chosen in the end."""
    found = [each for each in state.choices if each.chosen and each.chosen.power_limit_w == state.chosen_w]
    value = getattr(found[0], name) if found else None
    return value if isinstance(value, float) else None


def _choice(choice: Choice) -> dict[str, object]:
    return {
        "baseline": _point(choice.baseline),
        "chosen": _point(choice.chosen) if choice.chosen else None,
        "kept": choice.kept,
        "kept_low": choice.kept_low,
        "saved_w": choice.saved_w,
        "resolution": choice.resolution,
        "never_binds_from_w": choice.never_binds_from_w,
        "drift": choice.drift,
        "uneven": choice.uneven,
        "limits": [
            {
                **_point(step.point),
                "kept": step.kept,
                "kept_low": step.kept_low,
                "kept_high": step.kept_high,
                "verdict": verdict,
            }
            for step, verdict in zip(choice.steps, choice.verdicts, strict=True)
        ],
        "sentences": choice.sentences,
    }


def _point(point: Point) -> dict[str, object]:
    return {
        "power_limit_w": point.power_limit_w,
        "power_w": point.power_w,
        "decode_tps": point.decode.tps if point.decode else None,
        "decode_error_tps": point.decode.error_tps if point.decode else None,
        "prefill_tps": point.prefill.tps if point.prefill else None,
        "prefill_error_tps": point.prefill.error_tps if point.prefill else None,
        "joules_per_token": point.joules_per_token,
        "sm_clock_mhz": point.sm_clock_mhz,
        "temperature_c": point.temperature_c,
        "throttled_share": point.throttled_share,
        "samples": point.samples,
        "seconds": point.seconds,
    }
