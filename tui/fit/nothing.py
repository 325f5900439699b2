"""Why no model is listed, by what was asked."""

import argparse

from ...estimator.catalogue.models import models
from .arguments import CONTEXT


def nothing(options: argparse.Namespace) -> str:
    """One line that says what to ask for instead."""
    longest = max(model.context or 0 for model in models().values())
    if options.context > longest:
        return f"no model of the catalogue has {options.context} tokens of context: the most is {longest}"
    asked = [
        name
        for name, given in (
            ("less --context", options.context > CONTEXT),
            ("more --max-memory", options.max_memory),
            ("no --task", options.task),
            ("another --quant", options.quant),
        )
        if given
    ]
    more = "" if options.all or options.compare else "; --all shows them all"
    return f"no model of the catalogue fits: ask for {' or '.join(asked or ['less --context'])}{more}"
