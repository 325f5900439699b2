"""The flags of `llmtop predict` as a question to the estimator."""

import argparse

from msgspec import Struct

from ..estimator import memory, power
from ..estimator.backends import NoBackend, common_backend
from ..estimator.question import Question
from ..estimator.software import BACKENDS, UNKNOWN, Backend, Engine, Software, year
from ..probes.sample import Device
from .asked_hardware import Hardware, asked_hardware
from .asked_model import asked_model
from .asked_names import asked_engine, asked_kv
from .refusal import WrongUsage


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
        """The name of each device, and of the CPU beside GPUs where it was named."""
        host = self.question.host
        named = (host,) if host and not self.local else ()
        return tuple(device.name for device in (*self.question.devices, *named))

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
        WrongUsage: flags do not go together, or the engine does not run there.
        Refusal: the model cannot be read, or this machine has not been measured.
    """
    runs = asked_engine(options.engine)
    model = asked_model(options.model, options.quant, options.weights, runs)
    kv = asked_kv(options.kv)
    hardware = asked_hardware(options.hardware, options.devices, cpu_only=options.backend == "cpu")
    backend = _backend(options.backend, runs, hardware.devices)
    question = Question(
        facts=model.facts,
        software=Software(engine=runs, backend=backend, year=_year(options.build)),
        devices=hardware.devices,
        host=hardware.host if runs.kin == "llama.cpp" else None,
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
        notes=(
            *([model.usual] if model.usual else []),
            *model.notes,
            *hardware.notes,
            *_taken(question, hardware),
            *_oddities(question),
        ),
    )


def _backend(name: str | None, runs: Engine, devices: tuple[Device, ...]) -> Backend:
    known: dict[str, Backend] = {each: each for each in BACKENDS}
    if name is not None and name.lower() not in known:
        raise WrongUsage(f"unknown backend {name[:40]!r}: there are {', '.join(BACKENDS)}")
    try:
        return common_backend(runs, devices, known[name.lower()] if name else None)
    except NoBackend as unable:
        raise WrongUsage(str(unable)) from None


def _year(text: str | None) -> float | None:
    if text is None:
        return None
    found = year(text)
    if found is None:
        raise WrongUsage(f"--build {text[:40]!r} is no date: write it as 2024-05")
    return found


def _taken(question: Question, hardware: Hardware) -> list[str]:
    """How the engine and the host are taken."""
    runs, notes = question.software.engine, list[str]()
    if runs.name == UNKNOWN:
        notes.append("nothing but its API is known of the engine: the answer is that for a middling one")
    if hardware.host is not None and hardware.named and question.host is None:
        notes.append(f"{runs.name} leaves nothing to a CPU: {hardware.host.name} has no part in the answer")
    return notes


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
