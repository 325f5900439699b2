"""The flags of `llmtop predict` as a question to the estimator."""

import argparse

from msgspec import Struct

from ..estimator import memory, power
from ..estimator.catalogue.devices import device as known_device
from ..estimator.catalogue.formats import kv_format
from ..estimator.catalogue.names import UnknownName
from ..estimator.question import Question
from ..estimator.silicon import default_backend
from ..estimator.software import BACKENDS, ENGINES, Backend, Engine, Software, engine, year
from ..probes.sample import Device
from .asked_model import asked_model
from .refusal import Refusal, WrongUsage

RUNS_ON = {"cuda": "NVIDIA", "metal": "Apple", "rocm": "AMD"}
"""Backends that are for the GPUs of one vendor."""


class Asked(Struct, frozen=True, kw_only=True):
    """The question, and how its parts are called."""

    question: Question
    model: str
    quant: str | None
    kv: str
    local: bool
    """Whether it is about this machine."""
    notes: tuple[str, ...] = ()
    """What was taken where nothing was said, and what is odd about it; one line each."""

    @property
    def hardware(self) -> tuple[str, ...]:
        """The name of each device."""
        return tuple(device.name for device in self.question.devices)

    @property
    def usable_bytes(self) -> float | None:
        """What the devices have for a model together; None where that is not known."""
        engine_name = self.question.software.engine.name
        room = [memory.usable(device, engine_name) for device in self.question.devices]
        return None if None in room else float(sum(each or 0 for each in room))

    @property
    def hardware_words(self) -> str:
        """The names for a person: "2 x RTX 4090"."""
        counts = {name: self.hardware.count(name) for name in dict.fromkeys(self.hardware)}
        return " + ".join(f"{count} x {name}" if count > 1 else name for name, count in counts.items())


def asked(options: argparse.Namespace) -> Asked:
    """Resolves all names.

    Raises:
        UnknownName: a name is in no catalogue.
        WrongUsage: flags do not go together.
        Refusal: the model cannot be read, or this machine has not been measured.
    """
    runs = _engine(options.engine)
    model = asked_model(options.model, options.quant, options.weights, runs)
    kv = kv_format(options.kv)
    devices, host = _devices(options)
    backend = _backend(options.backend, devices)
    question = Question(
        facts=model.facts,
        software=Software(engine=runs, backend=backend, year=_year(options.build)),
        devices=devices,
        host=host,
        streams=None if options.batch is None else float(options.batch),
        prompt=float(options.prompt),
        generate=float(options.gen),
        context=None if options.context is None else float(options.context),
        before=float(max((options.context or 0) - options.prompt, 0)),
        kv_bytes_per_element=kv.bytes,
        power_limit_w=options.power_limit,
        threads=options.threads,
    )
    return Asked(
        question=question,
        model=model.facts.name,
        quant=model.facts.quantization,
        kv=kv.name,
        local=not options.hardware,
        notes=(*model.notes, *_oddities(question)),
    )


def _engine(name: str) -> Engine:
    try:
        return engine(name)
    except UnknownName as unknown:
        raise WrongUsage(f"{unknown}; there are {', '.join(ENGINES)}") from None


def _devices(options: argparse.Namespace) -> tuple[tuple[Device, ...], Device | None]:
    """The devices, and the CPU beside them where it is known."""
    if options.hardware:
        named = [known_device(name) for name in options.hardware]
        times = options.devices or 1
        return tuple(row.as_device(f"{row.name} {at}") for row in named for at in range(times)), None
    from .here import here  # noqa: PLC0415 - the probes are loaded only where this machine is meant

    found = here()
    if found.gpus and options.backend != "cpu":
        if options.devices and options.devices > len(found.gpus):
            raise WrongUsage(f"--devices {options.devices}: this machine has {len(found.gpus)}; others need --hardware")
        cpu = found.cpu if found.cpu and _has_bandwidth(found.cpu) else None
        return found.gpus[: options.devices], cpu
    if found.cpu is None:
        raise Refusal("no device found on this machine; name one with --hardware")
    if (options.devices or 1) > 1:
        raise WrongUsage("--devices counts GPUs, and this machine has none; name others with --hardware")
    if not _has_bandwidth(found.cpu):
        raise Refusal(
            f"the memory bandwidth of this machine ({found.cpu.name}) is not known: run llmtop probe --measure, "
            "or name other hardware with --hardware"
        )
    return (found.cpu,), None


def _has_bandwidth(device: Device) -> bool:
    return bool(device.bandwidth_gbs.peak or device.bandwidth_gbs.measured)


def _backend(name: str | None, devices: tuple[Device, ...]) -> Backend:
    if name is None:
        return default_backend(devices[0])
    known: dict[str, Backend] = {each: each for each in BACKENDS}
    backend = known.get(name.lower())
    if backend is None:
        raise WrongUsage(f"unknown backend {name[:40]!r}: there are {', '.join(BACKENDS)}")
    for device in devices:
        wrong_vendor = backend in RUNS_ON and device.vendor != RUNS_ON[backend]
        if wrong_vendor or (backend == "cpu") != (device.kind == "cpu"):
            raise WrongUsage(f"the backend {backend} does not run on {device.name}: try {default_backend(device)}")
    return backend


def _year(text: str | None) -> float | None:
    if text is None:
        return None
    found = year(text)
    if found is None:
        raise WrongUsage(f"--build {text[:40]!r} is no date: write it as 2024-05")
    return found


def _oddities(question: Question) -> list[str]:
    """What may surprise in the answer."""
    facts, notes = question.facts, list[str]()
    longest = max(question.depth, question.before + question.prompt)
    if facts.context_length and longest > facts.context_length:
        notes.append(
            f"{longest:.0f} tokens of context are above the model's limit of {facts.context_length}; "
            "the answer is as if it went on"
        )
    if question.power_limit_w is not None:
        notes += _power_oddities(question.power_limit_w, question.devices[0])
    if question.threads is not None and question.devices[0].kind != "cpu":
        notes.append("--threads counts for a CPU only")
    return notes


def _power_oddities(limit_w: float, device: Device) -> list[str]:
    if power.law(device) is None or not device.power_limit_default_w:
        return [f"what a power limit does to {device.name} is not known: it is left out of the answer"]
    highest = device.power_limit_max_w or device.power_limit_default_w
    if limit_w > highest:
        return [f"{limit_w:.0f} W is above the highest limit known for {device.name}, {highest:.0f} W"]
    return []
