"""One decode measurement as every formula sees it: the same facts of the model and the device for all of them."""

from llmtop.estimator.accuracy import question
from llmtop.estimator.catalogue.devices import device
from llmtop.estimator.catalogue.models import CatalogueModel, model
from llmtop.estimator.catalogue.names import UnknownName
from llmtop.estimator.measurements import Measurement
from llmtop.estimator.question import Question
from llmtop.estimator.terms import Unanswerable
from llmtop.probes.sample import Device, ModelFacts
from msgspec import Struct

USER_ENGINES = ("llamafile", "Ollama")
LONG_CONTEXT = 4096
GROUPS = ("all", "dense", "MoE", "context > 4k", "user-submitted", "not user-submitted", "other engines")


class Case(Struct, frozen=True, kw_only=True):
    """A row whose device, engine, model and format are known."""

    row: Measurement
    question: Question
    """The row as llmtop's own estimator is asked."""
    model: CatalogueModel
    unified: bool
    """Whether the device shares the memory of the CPU."""

    @property
    def facts(self) -> ModelFacts:
        return self.question.facts

    @property
    def device(self) -> Device:
        """One of the devices; they are all alike."""
        return self.question.devices[0]

    @property
    def n_devices(self) -> int:
        return len(self.question.devices)

    @property
    def bandwidth_gbs(self) -> float | None:
        """Peak GB/s of one device, from llmtop's catalogue."""
        return self.device.bandwidth_gbs.peak

    @property
    def memory_gib(self) -> float | None:
        """Of all devices."""
        memory = self.device.memory_total_bytes
        return None if memory is None else memory / 2**30 * self.n_devices

    @property
    def quantization(self) -> str:
        """The catalogue's name of the format."""
        return self.facts.quantization or ""

    @property
    def parameters_b(self) -> float:
        """All parameters in billions."""
        return (self.facts.parameters or 0) / 1e9

    @property
    def active_b(self) -> float:
        """Parameters that a token uses in billions, as model cards count them: the embedding table included."""
        facts = self.facts
        share = facts.expert_used_count / facts.expert_count if facts.expert_count else 1.0
        return self.parameters_b - (facts.unused_parameters + (1.0 - share) * facts.expert_parameters) / 1e9

    @property
    def moe(self) -> bool:
        return self.facts.expert_count > 0

    @property
    def on_cpu(self) -> bool:
        return self.question.software.backend == "cpu"

    @property
    def arm(self) -> bool:
        """Whether the CPU of the row is an ARM one, by its maker."""
        return self.device.vendor.lower() in {"ampere", "apple", "broadcom", "arm", "cix"}

    @property
    def gguf(self) -> bool:
        """Whether the engine reads GGUF files."""
        return self.row.quant.lower().startswith("gguf") or self.question.software.engine.kin == "llama.cpp"

    @property
    def spills(self) -> bool:
        """Whether the weights alone are larger than the memory of the devices, so that some must lie elsewhere."""
        if self.on_cpu or self.facts.weight_bytes is None or self.memory_gib is None:
            return False
        return self.facts.weight_bytes > self.memory_gib * 2**30

    @property
    def context_tokens(self) -> float:
        """Tokens in the KV cache, halfway through the generation."""
        return self.question.depth

    @property
    def allocated_tokens(self) -> int:
        """The context that must be reserved to make this run."""
        written = (self.row.context or 0) + (self.row.n_prompt or 0) + (self.row.n_gen or 0)
        return max(written, round(self.context_tokens))

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of rows that this one counts in."""
        software = self.question.software.engine
        return (
            "all",
            "MoE" if self.moe else "dense",
            *(("context > 4k",) if (self.row.context or 0) > LONG_CONTEXT else ()),
            "user-submitted" if software.name in USER_ENGINES else "not user-submitted",
            *(() if software.kin == "llama.cpp" else ("other engines",)),
        )


def case_of(row: Measurement) -> Case | None:
    """The row with what is known of it; None when the catalogue lacks its device, engine, model or format."""
    try:
        asked, found = question(row), device(row.hardware)
        return Case(row=row, question=asked, model=model(row.model), unified=found.unified_memory)
    except (UnknownName, Unanswerable):
        return None
