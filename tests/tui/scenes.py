"""Made-up snapshots: every state that the screens must be able to show."""

import functools
import math
from collections.abc import Callable

from llmtop.estimator.snapshot import (
    Band,
    BoxPower,
    Ceiling,
    EngineSession,
    EngineView,
    Event,
    Expected,
    Model,
    Snapshot,
    Trail,
)
from llmtop.probes.sample import Bandwidth, Device, Host
from msgspec.structs import replace

WALL = 1_795_442_531.0
GIB = 2**30

HOST = Host(
    name="ws",
    os="Linux 6.8",
    cpu="AMD Ryzen 9 7950X",
    cores=16,
    memory_total_bytes=64 * GIB,
    memory_used_bytes=23 * GIB,
)


def wave(length: int, base: float, swing: float, tick: int = 0, gaps: bool = True) -> Trail:
    """A rate that behaves like one: requests with pauses between them."""
    values: list[float | None] = []
    for index in range(tick, tick + length):
        phase = index % 90
        if gaps and phase > 78:
            values.append(0.0)
        elif gaps and index % 211 in {5, 6, 7, 8}:
            values.append(None)
        else:
            ramp = min((phase + 1) / 4, 1.0) if gaps else 1.0
            values.append(max(base * ramp + swing * (math.sin(index / 7) + 0.5 * math.sin(index / 2.3)), 0.1))
    return tuple(values)


def llama(tick: int = 0) -> EngineView:
    """The engine of the headline."""
    rate = wave(1, 62.1, 2.0, tick + 60, gaps=False)[0] or 0.0
    return EngineView(
        engine="llama.cpp",
        id="http://127.0.0.1:8080",
        url="http://127.0.0.1:8080",
        status="ok",
        version="b7112",
        pid=4242,
        model=Model(
            name="Qwen3-8B",
            path="/models/Qwen3-8B-Q4_K_M.gguf",
            architecture="qwen3",
            parameters=8_190_735_360,
            quantization="Q4_K_M",
            weight_bytes=5_020_000_000,
            bytes_per_token=4_680_000_000.0,
            context_length=32768,
            basis="GGUF header",
        ),
        devices=("nvidia0",),
        decode_tps=rate,
        prefill_tps=1912.0,
        decode_source="GET /slots n_decoded",
        prefill_source="GET /metrics prompt_tokens_total",
        liveness="token",
        prefill_liveness="request",
        window_s=5.0,
        ttft_s=0.21,
        tpot_s=0.0161,
        requests_running=1.0,
        requests_waiting=0.0,
        slots=4,
        kv_cache_usage=0.12,
        context_tokens=3110.0,
        kv_bytes=0.45e9,
        ceiling=Ceiling(decode_tps=102.3, prefill_tps=9800.0, limit="bandwidth"),
        expected=Expected(
            decode_tps=Band(value=70.4, low=61.2, high=78.1),
            prefill_tps=Band(value=4200.0, low=3100.0, high=5200.0),
            basis="llama.cpp CUDA on Ada, 214 published rows",
        ),
        mbu=rate / 102.3,
        mfu=0.19,
        power_w=212.0,
        joules_per_token=3.41,
        session=EngineSession(
            tokens=31_200.0,
            prefill_tokens=412_000.0,
            seconds=660.0,
            gap_s=12.0,
            joules=129_168.0,
            idle_joules=4480.0,
            joules_per_token=4.14,
        ),
        binds="reading weights binds: 4.7 GB per token at 1008 GB/s; KV cache 0.45 GB at 3.1 k context",
    )


def ollama() -> EngineView:
    return EngineView(
        engine="ollama",
        id="http://127.0.0.1:11434",
        url="http://127.0.0.1:11434",
        status="idle",
        version="0.12.3",
        model=Model(name="gemma-4-12b", quantization="Q4_0", parameters=12_000_000_000),
        devices=("nvidia0",),
        requests_running=0.0,
        requests_waiting=0.0,
        decode_tps=0.0,
        liveness="request",
        ceiling=Ceiling(decode_tps=64.0, limit="bandwidth"),
        expected=Expected(decode_tps=Band(value=46.0, low=40.0, high=52.0)),
        power_w=31.0,
    )


def vllm() -> EngineView:
    return EngineView(
        engine="vLLM",
        id="http://10.0.0.7:8000",
        url="http://10.0.0.7:8000",
        status="ok",
        version="0.14.0",
        model=Model(name="Qwen/Qwen3-32B-AWQ", quantization="AWQ", parameters=32_000_000_000),
        devices=("nvidia0", "nvidia1"),
        decode_tps=1934.0,
        prefill_tps=8123.0,
        decode_source="GET /metrics vllm:generation_tokens_total",
        liveness="step",
        ttft_s=0.84,
        tpot_s=0.022,
        requests_running=48.0,
        requests_waiting=12.0,
        kv_cache_usage=0.93,
        ceiling=Ceiling(decode_tps=5200.0, prefill_tps=21000.0, limit="compute"),
        expected=Expected(decode_tps=Band(value=2650.0, low=2100.0, high=3200.0)),
        mbu=0.37,
        power_w=588.0,
        joules_per_token=0.304,
        bandwidth_utilization=0.41,
        session=EngineSession(tokens=1_204_000.0, seconds=640.0, joules=376_320.0, joules_per_token=0.3126),
        binds="arithmetic binds: 48 streams are beyond the ridge point",
    )


def loading() -> EngineView:
    return EngineView(
        engine="llama.cpp",
        id="http://127.0.0.1:8081",
        url="http://127.0.0.1:8081",
        status="loading",
        model=Model(name="gpt-oss-120b", quantization="MXFP4"),
        problem="HTTP 503: Loading model",
    )


def gone() -> EngineView:
    return EngineView(
        engine="llama.cpp",
        id="http://127.0.0.1:8082",
        url="http://127.0.0.1:8082",
        status="unreachable",
        model=Model(name="Llama-3.1-8B-Instruct", quantization="Q8_0"),
        problem="connection refused since 14:01:58",
    )


def locked() -> EngineView:
    return EngineView(
        engine="vLLM",
        id="http://127.0.0.1:8001",
        url="http://127.0.0.1:8001",
        status="unauthorized",
        problem="HTTP 401",
    )


def gpu(number: int = 0, name: str = "NVIDIA GeForce RTX 4090", watts: float = 212.0, limit: float = 450.0) -> Device:
    return Device(
        id=f"nvidia{number}",
        name=name,
        vendor="NVIDIA",
        kind="gpu",
        memory_total_bytes=24 * GIB,
        memory_used_bytes=int(21.2 * GIB),
        utilization=0.98,
        temperature_c=64.0,
        sm_clock_mhz=2520.0,
        memory_clock_mhz=10501.0,
        power_w=watts,
        power_limit_w=limit,
        power_limit_min_w=150.0,
        power_limit_max_w=600.0,
        power_limit_default_w=450.0,
        bandwidth_gbs=Bandwidth(peak=1008.0, basis="384 bit x 10501 MHz x 2"),
        memory_type="GDDR",
        architecture="8.9",
    )


CPU = Device(
    id="cpu",
    name="AMD Ryzen 9 7950X",
    vendor="AMD",
    kind="cpu",
    memory_total_bytes=64 * GIB,
    memory_used_bytes=23 * GIB,
    utilization=0.07,
    temperature_c=51.0,
    bandwidth_gbs=Bandwidth(peak=83.2, basis="2 channels x 5200 MT/s x 8 bytes"),
    cores=16,
)

EVENTS = (
    Event(wall=WALL - 610, text="llama.cpp :8080 found", source="http://127.0.0.1:8080"),
    Event(wall=WALL - 420, text="ollama :11434 found", source="http://127.0.0.1:11434"),
    Event(wall=WALL - 133, text="llama.cpp :8082 does not answer", level="warning"),
    Event(wall=WALL - 31, text="RTX 4090 power-capped for 3 s", level="warning", source="nvidia0"),
)


def _power(tick: int, base: float = 212.0) -> Trail:
    return tuple(None if value is None else value * base / 62.0 + 25 for value in wave(300, 62.0, 3.0, tick))


def busy(tick: int = 0) -> Snapshot:
    """One engine at work on one GPU."""
    view = llama(tick)
    trail = (*wave(399, 62.1, 2.0, tick), view.decode_tps)
    return Snapshot(
        time=1000.0 + tick,
        wall=WALL + tick,
        host=HOST,
        devices=(gpu(watts=212.0 + 3 * math.sin(tick)), CPU),
        engines=(view,),
        events=EVENTS[:1] + EVENTS[3:],
        decode_trails={view.id: trail},
        power_trails={"nvidia0": _power(tick)},
    )


def mixed(tick: int = 0) -> Snapshot:
    """Four engines in four states."""
    base = busy(tick)
    return replace(
        base,
        engines=(*base.engines, ollama(), vllm(), loading(), gone(), locked()),
        devices=(gpu(), replace(gpu(1), throttle_reasons=("power cap",), power_w=449.0), CPU),
        events=EVENTS,
        decode_trails={
            **base.decode_trails,
            "http://10.0.0.7:8000": wave(300, 1900.0, 90.0, tick, gaps=False),
        },
        power_trails={"nvidia0": _power(tick), "nvidia1": _power(tick, 400.0)},
    )


def idle(tick: int = 0) -> Snapshot:
    """An engine with nothing to do."""
    base = busy(tick)
    view = replace(
        base.engines[0],
        status="idle",
        decode_tps=0.0,
        prefill_tps=0.0,
        requests_running=0.0,
        power_w=28.0,
        joules_per_token=None,
        kv_cache_usage=0.0,
        context_tokens=0.0,
        ttft_s=None,
        tpot_s=None,
        binds=None,
    )
    return replace(
        base,
        engines=(view,),
        devices=(replace(gpu(), power_w=28.0, utilization=0.0, sm_clock_mhz=210.0, temperature_c=41.0), CPU),
        decode_trails={view.id: (*wave(350, 62.1, 2.0, 0)[:330], *([0.0] * 42))},
    )


def loads(tick: int = 0) -> Snapshot:
    """An engine that loads its model."""
    return replace(busy(tick), engines=(loading(),), decode_trails={})


def none(tick: int = 0) -> Snapshot:
    """No engine at all."""
    return replace(busy(tick), engines=(), decode_trails={}, events=(), notes=())


def bare(tick: int = 0) -> Snapshot:
    """No engine, no GPU, bandwidth never measured."""
    cpu = replace(CPU, bandwidth_gbs=Bandwidth(), temperature_c=None)
    return replace(none(tick), devices=(cpu,), notes=("no NVIDIA driver",), power_trails={})


def lost(tick: int = 0) -> Snapshot:
    """The engine in focus died."""
    base = busy(tick)
    view = replace(
        gone(),
        url=base.engines[0].url,
        ceiling=base.engines[0].ceiling,
        expected=base.engines[0].expected,
        problem="connection refused",
    )
    trail = (*wave(340, 62.1, 2.0, 0)[:320], *([None] * 12))
    return replace(base, engines=(view,), decode_trails={view.id: trail}, events=EVENTS[:3])


def unmeasured(tick: int = 0) -> Snapshot:
    """A CPU engine on a machine whose bandwidth is not known."""
    view = replace(
        llama(tick),
        devices=("cpu",),
        decode_tps=9.6,
        prefill_tps=41.0,
        ceiling=Ceiling(reason="press m to measure the memory bandwidth"),
        expected=Expected(),
        power_w=None,
        joules_per_token=None,
        mbu=None,
        binds="reading weights binds: 4.7 GB per token, at a bandwidth that is not measured",
    )
    trail = tuple(None if value is None else value / 6.5 for value in wave(400, 62.0, 3.0, tick))
    cpu = replace(CPU, bandwidth_gbs=Bandwidth(), utilization=0.97, temperature_c=None)
    return replace(
        busy(tick),
        engines=(view,),
        devices=(cpu,),
        notes=("no NVIDIA driver",),
        decode_trails={view.id: trail},
        power_trails={},
    )


def prefilling(tick: int = 0) -> Snapshot:
    """A long prompt is read: nothing is generated yet."""
    base = busy(tick)
    view = replace(
        base.engines[0],
        decode_tps=0.0,
        prefill_tps=3840.0,
        prefill_liveness="step",
        joules_per_token=None,
        binds="arithmetic binds while a prompt is read",
    )
    trail = (*base.decode_trails[view.id][:380], *([0.0] * 20))
    return replace(base, engines=(view,), decode_trails={view.id: trail})


def slow(tick: int = 0) -> Snapshot:
    """A rate that moves at the end of a request only, and a ceiling far away."""
    base = busy(tick)
    view = replace(
        base.engines[0],
        engine="ollama",
        liveness="request",
        slots=None,
        decode_tps=18.0,
        expected=Expected(decode_tps=Band(value=21.0, low=17.5, high=25.0)),
        ceiling=Ceiling(decode_tps=240.0, limit="bandwidth"),
    )
    trail = tuple(None if value is None else value * 0.29 for value in base.decode_trails[view.id])
    return replace(base, engines=(view,), decode_trails={view.id: trail})


def gpus(tick: int = 0) -> Snapshot:
    """Three engines on eight GPUs."""
    base = mixed(tick)
    cards = [
        replace(
            gpu(number, "NVIDIA H100 80GB HBM3", 430.0 + 12 * number + 9 * math.sin(tick / 3 + number), 700.0),
            memory_total_bytes=80 * GIB,
            memory_used_bytes=(62 + number) * GIB,
            throttle_reasons=("power cap", "hot memory") if number == 3 else (),
        )
        for number in range(8)
    ]
    cards[6] = replace(cards[6], power_w=None, utilization=None, problem="fell off the bus (GPU is lost)")
    return replace(
        base,
        engines=(vllm(), base.engines[0], ollama()),
        devices=(*cards, CPU),
        power_trails={card.id: _power(tick + 9 * at, 430.0) for at, card in enumerate(cards)},
    )


def many(tick: int = 0) -> Snapshot:
    """A fleet: 256 engines."""
    base = gpus(tick)
    views: list[EngineView] = []
    for number in range(256):
        source = (llama(tick), vllm(), ollama(), gone())[number % 4]
        rate = source.decode_tps * (0.5 + (number * 37 % 100) / 120) if source.decode_tps else source.decode_tps
        url = f"http://10.0.{number // 100}.{number % 100}:8000"
        views.append(replace(source, id=url, url=url, decode_tps=rate))
    return replace(base, engines=tuple(views), decode_trails={views[0].id: wave(300, 40, 3.0, tick)})


def names(tick: int = 0) -> Snapshot:
    """Names that are too long, and one that would like to be more than a name."""
    base = mixed(tick)
    long = Model(
        name="unsloth/DeepSeek-R1-0528-Qwen3-8B-extremely-long-finetune-name-GGUF-imatrix-v3 [bold]x[/]",
        quantization="IQ4_XS",
    )
    evil = Model(name="日本語モデル\x1b[31m\nred", quantization="Q8_0")
    device = replace(gpu(), name="NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition")
    first = replace(base.engines[0], model=long, engine="TensorRT-LLM Triton", url=base.engines[0].url)
    second = replace(
        base.engines[1], model=evil, id="far", url="http://inference-gateway-01.internal.example.com:11434"
    )
    return replace(base, engines=(first, second, *base.engines[2:]), devices=(device, CPU))


def told(tick: int = 0) -> Snapshot:
    """Engines that tell little by themselves: one behind a proxy, one of which nothing is known, one behind a host."""
    base = mixed(tick)
    mlx = replace(
        llama(tick),
        engine="mlx-lm",
        version=None,
        slots=None,
        kv_cache_usage=None,
        prefill_tps=None,
        ttft_s=0.31,
        liveness="token",
        about=True,
        decode_source="llmtop proxy 127.0.0.1:9000",
        draft_acceptance=0.71,
        tokens_per_step=2.1,
    )
    tabby = EngineView(
        engine="TabbyAPI",
        id="http://127.0.0.1:5000",
        url="http://127.0.0.1:5000",
        status="ok",
        problem="publishes no live count: run llmtop proxy --upstream http://127.0.0.1:5000 and point clients at it",
        model=Model(name="Qwen3-8B-exl3", quantization="4.0 bpw", parameters=8_190_735_360),
        devices=("nvidia0",),
        last_decode_tps=45.6,
        last_prefill_tps=1234.0,
        liveness="request",
        ceiling=Ceiling(decode_tps=230.0, limit="bandwidth"),
        expected=Expected(decode_tps=Band(value=150.0, low=120.0, high=190.0)),
    )
    child = replace(
        llama(tick),
        id="http://127.0.0.1:40001",
        url="http://127.0.0.1:9292",
        engine="llama.cpp",
        via="llama-swap",
        tensor_parallel=2,
        prefix_hit_rate=0.43,
    )
    engines = (mlx, tabby, child)
    return replace(base, engines=engines, decode_trails={view.id: base_trail(base) for view in engines[::2]})


def base_trail(snapshot: Snapshot) -> Trail:
    """Some history of the scene."""
    return next(iter(snapshot.decode_trails.values()))


def powered(scene: Callable[[int], Snapshot]) -> Callable[[int], Snapshot]:
    """The scene with what its devices have drawn for eleven minutes; eight GPUs have a price."""

    @functools.wraps(scene)
    def made(tick: int = 0) -> Snapshot:
        base = scene(tick)
        drawn = [device.power_w for device in base.devices if device.power_w is not None]
        if not drawn:
            return base
        joules = 660.0 * sum(drawn)
        price = 0.3 if len(drawn) > 2 else None
        power = BoxPower(
            power_w=sum(drawn),
            basis=f"{'the GPU' if len(drawn) == 1 else f'{len(drawn)} GPUs'}; not the CPU, disks, fans, mainboard",
            energy_j=joules,
            energy_basis="counted",
            kwh=joules / 3.6e6,
            seconds=660.0,
            cost=joules / 3.6e6 * price if price else None,
            price=price,
            currency="EUR" if price else None,
        )
        spent = {device.id: 660.0 * device.power_w for device in base.devices if device.power_w is not None}
        return replace(base, power=power, idle_w={"nvidia0": 21.4, "nvidia1": 24.0}, session_energy_j={**spent})

    return made


SCENES: dict[str, Callable[[int], Snapshot]] = {
    scene.__name__: powered(scene)
    for scene in (busy, mixed, idle, prefilling, loads, none, bare, lost, unmeasured, slow, gpus, many, names, told)
}
