"""`llmtop predict`: the answer for a person, and for other programs."""

import argparse
import sys
from collections.abc import Sequence

import msgspec

from ..estimator.catalogue.names import UnknownName
from ..estimator.expected import Part
from ..estimator.predict import Prediction
from ..estimator.predict import predict as answer
from ..estimator.published import published
from ..estimator.snapshot import SCHEMA
from ..estimator.terms import Unanswerable
from .asked import Asked, asked
from .refusal import Refusal, WrongUsage


def predict(options: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        WrongUsage: a name is not known, or flags do not go together.
        Refusal: there is no answer.
    """
    try:
        about = asked(options)
        found = answer(about.question)
    except UnknownName as unknown:
        raise WrongUsage(str(unknown)) from None
    except Unanswerable as unanswerable:
        raise Refusal(str(unanswerable)) from None
    if options.json:
        sys.stdout.buffer.write(document(about, found, explain=options.explain) + b"\n")
        return 0
    from .answer import text  # noqa: PLC0415 - a program that asks for JSON does not wait for it

    print(text(about, found))  # noqa: T201
    if options.explain:
        from .explain import explanation  # noqa: PLC0415

        print(explanation(about, found))  # noqa: T201
    return 0


def document(about: Asked, found: Prediction, *, explain: bool = False) -> bytes:
    """The JSON document; with `explain` what would change the answer, and the curves, stand in it too."""
    question = about.question
    fields: dict[str, object] = {
        "schema": SCHEMA,
        "hardware": about.hardware,
        "model": about.model,
        "quant": about.quant,
        "engine": question.software.engine.name,
        "backend": question.software.backend,
        "kv_format": about.kv,
        "prompt_tokens": round(question.prompt),
        "generated_tokens": round(question.generate),
        "context_tokens": question.depth,
        "power_limit_w": question.power_limit_w,
        "parameters": question.facts.parameters,
        "weight_bytes": question.facts.weight_bytes,
        "context_length": question.facts.context_length,
    }
    fields |= msgspec.to_builtins(found)
    fields["terms"] = {phase: _terms(parts) for phase, parts in found.terms.items()}
    fields["memory_usable_bytes"] = about.usable_bytes
    fields["published"] = published(question)
    fields["notes"] = about.notes
    if explain:
        from ..estimator.batching import batching  # noqa: PLC0415
        from ..estimator.changes import changes  # noqa: PLC0415
        from ..estimator.power_curve import power_curve  # noqa: PLC0415

        fields["changes"] = changes(question)
        fields["batching"] = batching(question)
        fields["power_limits"] = power_curve(question)
    return msgspec.json.format(msgspec.json.encode(fields))


def _terms(parts: Sequence[Part]) -> list[dict[str, object]]:
    whole = sum(part.seconds for part in parts)
    return [
        {
            "name": part.name,
            "seconds": part.seconds,
            "bytes": part.bytes,
            "share": part.seconds / whole if whole else 0.0,
        }
        for part in parts
    ]
