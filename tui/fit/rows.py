"""What `llmtop fit` lists: the offers that are left after the filters, and each of them in plain fields."""

import argparse
import math

from msgspec import Struct

from ...estimator.catalogue.models import CatalogueModel, models
from ...estimator.fit import READING_TPS, Wish
from ...estimator.offers import Offer, offers
from ...estimator.snapshot import Band
from ..asked_names import asked_engine, asked_format, asked_kv
from .arguments import CONTEXT
from .box import AskedBox

GIB = 1 << 30
_ROUNDED = 1e-6


class Row(Struct, frozen=True, kw_only=True):
    """One model in one quantisation: a line of the table, an element of the JSON."""

    model: str
    store: str | None = None
    """Where it is on this machine: "Ollama", "Hugging Face"; None for one of the catalogue."""
    quant: str | None
    chosen: bool
    """Whether it is the quantisation that a person would take."""
    released: str | None
    tasks: tuple[str, ...]
    parameters: int | None
    active_parameters: int | None
    fits: bool
    runs_on: str | None
    gpu_share: float
    """Share of the layers on the GPUs, 0-1."""
    layers: int | None
    gpu_layers: int | None
    """Those of them on the GPUs, what llama.cpp takes as `-ngl`; None where their number is not known."""
    fits_when_emptied: bool
    """Whether it would fit, or fit better, if other programs held no memory."""
    memory_bytes: float
    memory_free_bytes: float
    max_context: int | None
    decode_tps: Band | None
    prefill_tps: Band | None
    ttft_s: Band | None
    joules_per_token: float | None
    ceiling_tps: float | None
    limit: str | None
    basis: str | None


def wish(options: argparse.Namespace) -> Wish:
    """What the flags ask of any model. Raises WrongUsage."""
    return Wish(
        engine=asked_engine(options.engine),
        context=float(options.context),
        kv_bytes_per_element=asked_kv(options.kv).bytes,
        least_tps=options.min_tps or READING_TPS,
        threads=options.threads,
    )


def listed(options: argparse.Namespace, about: AskedBox) -> list[Row]:
    """The rows that were asked for, in their order.

    Raises:
        WrongUsage: an engine or a format is not known.
        Unanswerable: nothing runs on the machine, or its memory is not known.
    """
    wanted = wish(options)
    only = asked_format(options.quant, wanted.engine).name if options.quant is not None else None
    some = [row for row in models().values() if asked_task(row, options.task) and long_enough(row, options.context)]
    found = offers(some, about.box, wanted, [only] if only else None, others=options.all)
    if options.max_memory:
        found = [each for each in found if each.fit.needed_bytes <= options.max_memory * GIB]
    if options.all:
        return [row(each) for each in found]
    first = [each for each in found if each.chosen and each.found is not None]
    return [row(each) for each in first[: options.top]]


def asked_task(model: CatalogueModel, task: str | None) -> bool:
    """Those that give vectors generate nothing, and are shown only to who asks for them."""
    return task in model.tasks if task else "embed" not in model.tasks


def long_enough(model: CatalogueModel, context: int) -> bool:
    """Whether it can have a context that somebody asks for; what is usual is asked of no model that has less."""
    return context <= CONTEXT or model.context is None or context <= model.context


def row(offer: Offer, *, name: str | None = None, store: str | None = None) -> Row:
    """An offer in plain fields; a model of this machine has the name that it goes by there."""
    facts, found, model = offer.fit.facts, offer.found, offer.model
    layers = facts.layers
    return Row(
        model=name or (model.name if model else facts.name),
        store=store,
        quant=facts.quantization,
        chosen=offer.chosen,
        released=model.released if model else None,
        tasks=model.tasks if model else (),
        parameters=facts.parameters,
        active_parameters=round(model.active_m * 1e6) if model else None,
        fits=offer.fit.runs_on is not None,
        runs_on=offer.fit.runs_on,
        gpu_share=offer.fit.gpu_share,
        layers=layers,
        gpu_layers=math.floor(offer.fit.gpu_share * layers + _ROUNDED) if layers else None,
        fits_when_emptied=offer.fit.when_emptied,
        memory_bytes=offer.fit.needed_bytes,
        memory_free_bytes=offer.fit.free_bytes,
        max_context=offer.max_context,
        decode_tps=found.decode_tps if found and not offer.reads_only else None,
        prefill_tps=found.prefill_tps if found else None,
        ttft_s=found.ttft_s if found else None,
        joules_per_token=found.draw.joules_per_token if found and found.draw else None,
        ceiling_tps=found.ceiling.decode_tps if found else None,
        limit=found.limit if found else None,
        basis=found.basis if found else None,
    )
