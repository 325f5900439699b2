"""What the live monitor expects of an engine: the estimator, own runs and speculative decoding together."""

import pytest
from llmtop.estimator.catalogue.devices import device
from llmtop.estimator.catalogue.formats import format as number_format
from llmtop.estimator.catalogue.models import model
from llmtop.estimator.model import Load
from llmtop.estimator.monitor import Monitor
from llmtop.estimator.outlook import outlook
from llmtop.estimator.own import Run
from llmtop.estimator.snapshot import EngineView
from llmtop.estimator.speculative import Speculation
from llmtop.probes.sample import Bandwidth, Device, DeviceProcess, Devices, Engine, Sample
from msgspec.structs import replace

CARD = device("RTX 4090").as_device("nvidia0")
FACTS = model("Llama-3.1-8B").facts(number_format("Q4_K_M"))
BYTES = (FACTS.weight_bytes or 0) - (FACTS.embedding_bytes or 0)


def reading(name: str = "llama.cpp", tokens: float = 0.0, streams: float = 1.0) -> Engine:
    return Engine(
        engine=name,
        url="http://127.0.0.1:8080",
        status="ok",
        pids=(7,),
        model=FACTS,
        decode_tokens=tokens,
        requests_running=streams,
        liveness="token",
    )


def test_expected_lies_below_the_ceiling_and_its_basis_is_said() -> None:
    """Published for this model on this card in 2024-2025: 125 to 150 tok/s."""
    found = outlook(reading(), FACTS, Load(), [CARD])
    band, roof = found.expected.decode_tps, found.ceiling.decode_tps
    assert roof == pytest.approx(1008.4e9 / BYTES, rel=0.001)
    assert band is not None and roof is not None
    assert 120 < band.value < 165
    assert band.low < band.value < band.high <= roof
    assert "llama.cpp, cuda GDDR" in (found.expected.basis or "")


def test_an_engine_that_nobody_knows_has_a_ceiling_but_nothing_is_expected_of_it() -> None:
    found = outlook(reading("Abacus"), FACTS, Load(), [CARD])
    assert found.ceiling.decode_tps is not None
    assert found.expected.decode_tps is None


@pytest.mark.parametrize("name", ["TensorRT-LLM", "vLLM", "MLX", "vulkanforge", "transformers serve", "Lemonade"])
@pytest.mark.parametrize("hardware", ["Tesla K80", "RX 7900 XTX", "EPYC 9654", "Arc B580"])
def test_what_is_seen_to_run_has_a_ceiling_and_an_expectation_wherever_that_is(name: str, hardware: str) -> None:
    found = outlook(reading(name), FACTS, Load(), [device(hardware).as_device("0")])
    assert found.ceiling.decode_tps is not None and found.expected.decode_tps is not None


def test_of_an_engine_behind_an_api_the_range_is_that_of_all_rows() -> None:
    found = outlook(reading("OpenAI-compatible"), FACTS, Load(), [CARD])
    assert "too few rows of OpenAI-compatible, cuda GDDR: the range is that of all rows" in (found.expected.basis or "")
    known, band = outlook(reading(), FACTS, Load(), [CARD]).expected.decode_tps, found.expected.decode_tps
    assert known is not None and band is not None
    assert band.low / band.value < known.low / known.value


def test_accepted_drafts_lift_the_roof_by_the_tokens_of_a_step() -> None:
    plain = outlook(reading(), FACTS, Load(), [CARD])
    drafting = outlook(reading(), FACTS, Load(), [CARD], speculation=Speculation(tokens=2.5, drafted=4.0))
    assert plain.ceiling.decode_tps is not None and drafting.ceiling.decode_tps is not None
    assert drafting.ceiling.decode_tps == pytest.approx(2.5 * plain.ceiling.decode_tps)
    assert plain.plain_tps is not None and drafting.plain_tps is not None
    assert plain.plain_tps < drafting.plain_tps < 2.5 * plain.plain_tps


def test_three_own_runs_of_other_models_move_what_is_expected() -> None:
    """Median 0.8 of three runs, drawn to nothing by 3 / (3 + 3): the square root of 0.8."""
    runs = [
        Run(engine="llama.cpp", backend="cuda", device="RTX 4090", model=name, phase="decode", ratio=0.8, when=0.0)
        for name in ("a", "b", "c")
    ]
    plain = outlook(reading(), FACTS, Load(), [CARD])
    corrected = outlook(reading(), FACTS, Load(), [CARD], runs=runs)
    assert plain.expected.decode_tps is not None and corrected.expected.decode_tps is not None
    assert corrected.expected.decode_tps.value == pytest.approx(0.8**0.5 * plain.expected.decode_tps.value)
    assert "your own 3 runs" in (corrected.expected.basis or "")
    assert corrected.plain_tps == plain.plain_tps


def busy(card: Device) -> Device:
    return replace(card, processes=(DeviceProcess(7, 6 << 30),))


def test_half_a_minute_of_even_work_becomes_an_own_run() -> None:
    """At 100 tok/s of one stream; the prediction is that of `outlook` for the same load."""
    monitor = Monitor()
    for second in range(40):
        for source, seen in (("nvidia", Devices(devices=(busy(CARD),))), ("engine", reading(tokens=100.0 * second))):
            monitor.feed(Sample(source=source, time=float(second), wall=1e9 + second, period=1.0, reading=seen))
    (run,) = monitor.finished_runs()
    plain = outlook(reading(), FACTS, Load(), [CARD]).plain_tps
    assert plain is not None
    assert (run.engine, run.backend, run.device, run.phase) == ("llama.cpp", "cuda", "RTX 4090", "decode")
    assert run.ratio == pytest.approx(100.0 / plain, rel=0.01)
    assert monitor.finished_runs() == []


def test_work_under_a_throttled_card_is_no_run() -> None:
    monitor = Monitor()
    hot = replace(busy(CARD), throttle_reasons=("temperature",))
    for second in range(40):
        for source, seen in (("nvidia", Devices(devices=(hot,))), ("engine", reading(tokens=100.0 * second))):
            monitor.feed(Sample(source=source, time=float(second), wall=1e9 + second, period=1.0, reading=seen))
    assert monitor.finished_runs() == []


RAM = Device(id="cpu", name="CPU", vendor="AMD", kind="cpu", bandwidth_gbs=Bandwidth(peak=50.0), cores=8)


def watched(held_bytes: int, name: str = "llama.cpp", beside: Device = RAM) -> EngineView:
    """What the monitor tells of an engine that holds so much of the card."""
    monitor = Monitor()
    card = replace(CARD, processes=(DeviceProcess(7, held_bytes),))
    for second in range(5):
        for source, seen in (("box", Devices(devices=(card, beside))), ("engine", reading(name, 10.0 * second))):
            monitor.feed(Sample(source=source, time=float(second), wall=1e9 + second, period=1.0, reading=seen))
    return monitor.snapshot().engines[0]


def test_what_an_engine_left_to_the_cpu_is_in_its_ceiling_and_in_what_is_expected() -> None:
    """It holds 2 GB of 4.9: the rest, without the table of inputs, is read with 50 GB/s after them."""
    roof = watched(2_000_000_000).ceiling.decode_tps
    on_host = BYTES - 2_000_000_000
    assert roof == pytest.approx(1e9 / (2_000_000_000 / 1008.4 + on_host / 50), rel=1e-3)
    band = watched(2_000_000_000).expected.decode_tps
    assert band is not None and roof is not None
    assert 0.4 * roof < band.value <= band.high <= roof


def test_an_engine_that_holds_its_weights_has_the_roof_of_the_card() -> None:
    whole = watched(6_000_000_000)
    assert whole.ceiling.decode_tps == pytest.approx(1008.4e9 / BYTES, rel=0.001)
    nearly = watched((FACTS.weight_bytes or 0) - (FACTS.embedding_bytes or 0) - 50_000_000)
    assert nearly.ceiling.decode_tps == whole.ceiling.decode_tps, "no more than a rounding"


def test_nothing_is_said_to_be_left_where_that_cannot_be_told() -> None:
    """An engine for servers leaves no layers; a CPU that was never measured has no rate."""
    whole = watched(6_000_000_000).ceiling.decode_tps
    assert watched(2_000_000_000, "vLLM").ceiling.decode_tps == whole
    assert watched(2_000_000_000, beside=replace(RAM, bandwidth_gbs=Bandwidth())).ceiling.decode_tps == whole
