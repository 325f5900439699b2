"""What `llmtop probe` says of machines that are not here."""

from llmtop.estimator.snapshot import Snapshot
from llmtop.probes.sample import (
    Bandwidth,
    Compute,
    Device,
    DeviceProcess,
    Fabric,
    Host,
    MemoryLayout,
    MemoryModule,
    Pcie,
    PowerLimit,
    Processor,
)
from llmtop.tui.here import worthwhile
from llmtop.tui.machine import machine
from llmtop.tui.machine_print import WIDTH, markdown, text
from llmtop.tui.screens.inspect import device_rows
from msgspec.structs import replace

H100 = Device(
    id="nvidia0",
    name="NVIDIA H100 80GB HBM3",
    vendor="NVIDIA",
    kind="gpu",
    memory_total_bytes=80 << 30,
    memory_used_bytes=72 << 30,
    utilization=0.97,
    temperature_c=61.0,
    memory_temperature_c=74.0,
    sm_clock_mhz=1755.0,
    power_w=612.0,
    limits=(
        PowerLimit(
            name="board", value_w=600, min_w=200, max_w=700, default_w=700, window_s=None, writable=False, where="NVML"
        ),
    ),
    throttle_reasons=("power cap",),
    bandwidth_gbs=Bandwidth(peak=3352.0, measured=3017.0, basis="memory clock 2619 MHz x 2 x 5120 bit (NVML)"),
    compute_tflops=Compute(fp16=989.0, int8=1979.0),
    memory_type="HBM",
    architecture="9.0",
    ecc=True,
    driver="NVIDIA 580.65.06",
    pcie=Pcie(generation=1, width=16, generation_max=5, width_max=16),
    fabric=Fabric(name="NVLink", links=18, gbs=450.0),
    processes=(DeviceProcess(4711, 1 << 30),),
)
PCIE, FABRIC = Pcie(generation=1, width=16, generation_max=5, width_max=16), Fabric(name="NVLink", links=18, gbs=450.0)
EPYC = Device(
    id="cpu",
    name="AMD EPYC 9354",
    vendor="AMD",
    kind="cpu",
    memory_total_bytes=384 << 30,
    cores=64,
    processor=Processor(
        sockets=2,
        numa_nodes=8,
        threads=128,
        usable_cores=24.0,
        instructions=("AVX-512 VNNI", "AVX2"),
        memory=MemoryLayout(
            modules=tuple(
                MemoryModule(slot=f"P{n % 2} C{n}", size_bytes=32 << 30, type="DDR5", mts=4800, rated_mts=5600)
                for n in range(12)
            ),
            slots=24,
            channels=12,
            channels_total=24,
        ),
    ),
    unread=("power: /sys/class/powercap/intel-rapl:0/energy_uj may be read by root only",),
    remarks=("12 of 24 memory channels are empty: the CPU reaches half of its bandwidth",),
)
HOST = Host(name="secret-name", os="Debian 13, Linux 6.12", virtualization="KVM", container="docker", power_w=1890.0)


def said(*devices: Device, notes: tuple[str, ...] = ()) -> str:
    host = replace(HOST, power_source="ACPI power meter")
    return text(machine(Snapshot(time=1.0, wall=1.0, host=host, devices=devices, notes=notes)))


def test_every_fact_is_there_within_the_width_and_no_name_of_the_host() -> None:
    told = said(H100, EPYC)
    assert max(map(len, told.splitlines())) <= WIDTH
    assert "secret-name" not in told
    flat = " ".join(told.split())
    for fact in (
        "Debian 13, Linux 6.12 (KVM, docker)",
        "1890 W for the whole machine (ACPI power meter)",
        "nvidia0: NVIDIA H100 80GB HBM3",
        "72.0 of 80.0 GiB used, HBM, ECC on",
        "3352 GB/s on paper, 3017.0 GB/s measured (90 %)",
        "989 TFLOPS fp16, 1979 TOPS int8",
        "PCIe 5.0 x16, now 1.0 x16; NVLink: 18 links, 450 GB/s each way",
        "board 600 W (200-700 W, default 700 W); you may not change it",
        "612 W, 61 °C, memory 74 °C, 1755 MHz, 97 % busy, held down: power cap",
        "64 cores, 128 threads, 2 sockets, 8 NUMA nodes",
        "AVX-512 VNNI, AVX2",
        "12 x 32.0 GiB DDR5-5600 at 4800 MT/s, in 24 slots, 12 of 24 channels",
        "note 12 of 24 memory channels are empty",
        "not read cpu power: /sys/class/powercap",
    ):
        assert fact in flat, fact
    assert "none found" not in told


def test_cards_that_are_alike_share_their_facts_and_have_a_line_of_their_own_for_now() -> None:
    cards = [replace(H100, id=f"nvidia{n}", power_w=600.0 + n) for n in range(8)]
    told = said(*cards, EPYC)
    assert "nvidia0 to nvidia7: 8 x NVIDIA H100 80GB HBM3" in told
    assert told.count("3352 GB/s") == 1
    assert "nvidia5: 605 W" in told
    assert len(told.splitlines()) < 45, "one screen"
    other = said(cards[0], replace(cards[1], ecc=False), EPYC)
    assert other.count("3352 GB/s") == 2


def test_what_differs_between_cards_is_told_of_each_and_what_is_alike_is_told_once() -> None:
    busy = [
        replace(H100, id=f"nvidia{n}", memory_used_bytes=(8 + n) << 30, pcie=replace(PCIE, generation=1 + 4 * (n % 2)))
        for n in range(8)
    ]
    told = said(*busy, EPYC)
    assert "80.0 GiB each, 8.0 GiB to 15.0 GiB used, HBM, ECC on" in told
    assert "PCIe 5.0 x16; NVLink" in told, "links at rest are no news"
    lowered = replace(busy[1], limits=(replace(H100.limits[0], value_w=400.0),))
    narrow = replace(busy[4], pcie=replace(PCIE, generation=5, width=4))
    fewer = replace(busy[6], fabric=replace(FABRIC, links=12))
    told = said(busy[0], lowered, *busy[2:4], narrow, busy[5], fewer, busy[7], EPYC)
    assert "nvidia0, nvidia2 to nvidia3, nvidia5, nvidia7: 5 x NVIDIA H100" in told
    assert "board 400 W" in told.partition("nvidia1:")[2].partition("nvidia4:")[0]
    assert "PCIe 5.0 x16, now 5.0 x4" in told.partition("\nnvidia4:")[2].partition("\nnvidia6:")[0]
    assert "NVLink: 12 links" in told.partition("\nnvidia6:")[2]


def test_a_card_of_which_nothing_is_known_is_told_in_few_words() -> None:
    denied = Device(id="nvidia0", name="NVIDIA GPU", vendor="NVIDIA", kind="gpu", problem="no permission")
    told = said(denied, replace(EPYC, utilization=1.0))
    assert "memory     –" not in told
    assert "now        no permission" in told
    assert "busy" not in told, "by this very look"
    assert "compute capability 9.0; NVIDIA 580.65.06" in said(H100)


def test_why_a_figure_is_missing_stands_beside_the_engine_that_uses_the_device() -> None:
    card = replace(H100, unread=("power: of nvidia0 as a whole only",), remarks=("ECC is on",))
    told = [" ".join("".join(words for words, *_ in line.spans).split()) for line in device_rows(card, 100)]
    assert "not read power: of nvidia0 as a whole only" in told
    assert "note ECC is on" in told


def test_measured_bandwidths_of_cards_that_are_alike_are_a_span() -> None:
    measured = [replace(H100.bandwidth_gbs, measured=each) for each in (2900.0, 3017.0, None)]
    cards = [replace(H100, id=f"nvidia{n}", bandwidth_gbs=each) for n, each in enumerate(measured)]
    assert "3352 GB/s on paper, 2900.0 to 3017.0 GB/s measured on 2 of 3 (87 % at least)" in said(*cards)
    assert "3352 GB/s on paper, 3017.0 GB/s measured (90 % at least)" in said(cards[1], replace(cards[1], id="nvidia2"))
    assert "3352 GB/s on paper\n" in said(cards[2], replace(cards[2], id="nvidia3"))


def test_on_a_narrow_terminal_words_and_commands_stay_whole() -> None:
    command = "sudo chmod a+r /sys/class/powercap/intel-rapl:0/energy_uj"
    card = replace(EPYC, unread=(f"power: it may be read by root only; {command} allows it until the next boot",))
    for width in (100, 80):
        lines = text(machine(Snapshot(time=1.0, wall=1.0, host=HOST, devices=(H100, card))), width).splitlines()
        assert max(map(len, lines)) <= width
        assert command.rpartition(" ")[2] in [word.strip() for line in lines for word in line.split()]
        assert "200-700" in " ".join(lines)


def test_a_box_without_a_gpu_says_so_once_and_a_driver_in_trouble_speaks_for_itself() -> None:
    assert said(EPYC).count("none found") == 1
    troubled = said(EPYC, notes=("NVIDIA driver is installed but not loaded",))
    assert "none found" not in troubled
    assert "NVIDIA driver is installed but not loaded" in troubled


def test_one_sentence_of_many_devices_is_said_once() -> None:
    cards = [replace(H100, id=f"nvidia{n}", unread=("processes: hidden",)) for n in range(3)]
    assert said(*cards, EPYC).count("processes: hidden") == 1


def test_markdown_keeps_its_tables_whole() -> None:
    odd = replace(H100, name="Card | with *signs* <b>", remarks=("a_b_c",))
    told = markdown(machine(Snapshot(time=1.0, wall=1.0, host=HOST, devices=(odd,))), "1.2.3")
    rows = [line for line in told.splitlines() if line.startswith("|")]
    assert all(row.replace("\\|", "").count("|") == 3 for row in rows)
    assert "**nvidia0: Card \\| with \\*signs\\* &lt;b>**" in told
    assert "a\\_b\\_c" in told
    assert told.endswith("llmtop 1.2.3, `llmtop probe --markdown`")


def test_what_a_person_would_run_a_model_on() -> None:
    integrated = Device(id="intel0", name="UHD 770", vendor="Intel", kind="gpu", unified_memory=True)
    strix = Device(
        id="amd0", name="8060S", vendor="AMD", kind="gpu", unified_memory=True, bandwidth_gbs=Bandwidth(peak=256.0)
    )
    part = replace(H100, id="nvidia0.0", parent="nvidia0")
    assert worthwhile([integrated, H100]) == (H100,)
    assert worthwhile([integrated]) == ()
    assert worthwhile([strix]) == (strix,)
    assert worthwhile([H100, part]) == (part,), "work runs on the instances"
