"""The whole machine: what is added up, what is left out, and what it is called."""

import pytest
from llmtop.estimator.box import Box
from llmtop.estimator.monitor import Monitor
from llmtop.estimator.snapshot import BoxPower, Price
from llmtop.probes.sample import Device, Devices, Host, Sample
from msgspec.structs import replace

GPU = Device(id="nvidia0", name="H100", vendor="NVIDIA", kind="gpu", power_w=400.0)
SECOND = replace(GPU, id="nvidia1", power_w=200.0)
CPU = Device(id="cpu", name="EPYC", vendor="AMD", kind="cpu", power_w=90.0)
DARK_CPU = replace(CPU, power_w=None)
HOST = Host(name="box", os="Linux")


class Machine:
    """Feeds a monitor every second."""

    def __init__(self, price: Price | None = None) -> None:
        self.monitor = Monitor(price=price)
        self.time = 500.0

    def says(self, *devices: Device, source: str = "nvidia", seconds: int = 1, host: Host | None = None) -> BoxPower:
        for _ in range(seconds):
            self.time += 1.0
            if host is not None:
                self._feed("host", host)
            self._feed(source, Devices(devices=devices))
        return self.power()

    def power(self) -> BoxPower:
        return self.monitor.snapshot().power

    def _feed(self, source: str, reading: Devices | Host) -> None:
        self.monitor.feed(Sample(source=source, time=self.time, wall=self.time, period=1.0, reading=reading))


def test_nothing_is_known_of_a_machine_that_tells_nothing() -> None:
    assert Machine().says(DARK_CPU, seconds=10) == BoxPower()


def test_two_gpus_and_the_package_add_up() -> None:
    power = Machine().says(GPU, SECOND, CPU, seconds=11)
    assert power.power_w == 690.0
    assert power.basis == "2 GPUs and the CPU package; not disks, fans, mainboard"
    assert power.energy_j == 6900.0
    assert power.kwh == 6900.0 / 3.6e6
    assert (power.seconds, power.gap_s, power.energy_basis) == (10.0, 0.0, "sampled")
    assert (power.cost, power.price) == (None, None)


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        ((GPU, DARK_CPU), "the GPU; not the CPU, disks, fans, mainboard"),
        ((GPU, replace(SECOND, power_w=None), DARK_CPU), "1 of 2 GPUs; not the CPU, disks, fans, mainboard"),
        ((CPU,), "the CPU package; not disks, fans, mainboard"),
        ((GPU, CPU), "the GPU and the CPU package; not disks, fans, mainboard"),
    ],
)
def test_the_basis_says_what_is_in_it(devices: tuple[Device, ...], words: str) -> None:
    assert Machine().says(*devices, seconds=2).basis == words


def test_a_price_makes_money_of_it() -> None:
    machine = Machine(Price(per_kwh=0.30, currency="EUR"))
    power = machine.says(replace(GPU, power_w=1000.0), seconds=361)
    assert power.kwh == pytest.approx(0.1)
    assert power.cost == pytest.approx(0.03)
    assert (power.price, power.currency) == (0.30, "EUR")


def test_a_sensor_of_the_whole_machine_stands_for_all_of_it() -> None:
    host = replace(HOST, power_w=800.0, power_source="ACPI power meter")
    power = Machine().says(GPU, SECOND, CPU, host=host, seconds=11)
    assert power.power_w == 800.0
    assert power.basis == "the whole machine (ACPI power meter)"
    assert (power.energy_j, power.seconds) == (8000.0, 10.0)


def test_a_laptop_that_is_plugged_in_goes_on_with_its_devices() -> None:
    machine = Machine()
    machine.says(CPU, host=replace(HOST, power_w=30.0, power_source="battery"), seconds=11)
    power = machine.says(CPU, host=HOST, seconds=10)
    assert power.power_w == 90.0
    assert power.energy_j == pytest.approx(10 * 30.0 + 10 * 90.0)
    assert power.gap_s == 1.0, "the second in which it was plugged in"
    power = machine.says(CPU, host=replace(HOST, power_w=30.0, power_source="battery"), seconds=11)
    assert power.energy_j == pytest.approx(10 * 30.0 + 10 * 90.0 + 10 * 30.0)
    assert power.seconds + power.gap_s == 31.0


def test_a_counter_of_the_machine_bridges_no_time_in_which_its_devices_were_added() -> None:
    machine = Machine()
    machine.says(CPU, host=replace(HOST, energy_j=1000.0))
    machine.says(CPU, host=replace(HOST, energy_j=1200.0))
    machine.says(CPU, host=HOST, seconds=10)
    machine.says(CPU, host=replace(HOST, energy_j=9000.0))
    power = machine.says(CPU, host=replace(HOST, energy_j=9200.0))
    assert power.energy_j == 200.0 + 10 * 90.0 + 200.0


def test_an_instance_of_a_gpu_is_a_part_of_it() -> None:
    instance = replace(GPU, id="nvidia0/1", parent="nvidia0", power_w=400.0)
    power = Machine().says(GPU, instance, replace(instance, id="nvidia0/2"), seconds=11)
    assert (power.power_w, power.energy_j) == (400.0, 4000.0)
    assert power.basis == "the GPU; not the CPU, disks, fans, mainboard"


def test_a_chip_of_apple_holds_its_cpu() -> None:
    chip = Device(id="apple", name="M3 Max", vendor="Apple", kind="apple", power_w=40.0, unified_memory=True)
    power = Machine().says(chip, replace(CPU, vendor="Apple"), seconds=11)
    assert (power.power_w, power.energy_j) == (40.0, 400.0)
    assert power.basis == "the chip; not disks, fans, mainboard"


def test_a_gpu_on_the_die_is_in_the_package_of_its_cpu() -> None:
    inside = Device(id="amd0", name="Radeon 8060S", vendor="AMD", kind="gpu", power_w=70.0, unified_memory=True)
    power = Machine().says(inside, CPU, seconds=11)
    assert (power.power_w, power.energy_j) == (90.0, 900.0)
    assert power.basis == "the CPU package; not disks, fans, mainboard"
    assert Machine().says(inside, DARK_CPU, seconds=11).power_w == 70.0
    spark = replace(inside, vendor="NVIDIA")
    assert Machine().says(spark, CPU, seconds=11).power_w == 160.0, "a chip beside it"


def test_a_card_that_is_silent_leaves_a_gap_until_its_counter_tells() -> None:
    counted = replace(GPU, energy_j=1000.0)
    silent = replace(GPU, power_w=None, energy_j=None, problem="hangs")
    machine = Machine()
    machine.says(counted, SECOND, seconds=1)
    power = machine.says(silent, SECOND, seconds=60)
    assert power.power_w == 200.0
    assert power.basis == "1 of 2 GPUs; not the CPU, disks, fans, mainboard"
    assert (power.energy_j, power.seconds, power.gap_s) == (60 * 200.0, 0.0, 60.0)
    power = machine.says(replace(counted, energy_j=9000.0), SECOND, seconds=1)
    assert (power.energy_j, power.seconds, power.gap_s) == (8000.0 + 61 * 200.0, 61.0, 0.0)
    assert power.energy_basis == "mixed"


def test_a_card_without_a_counter_leaves_it_for_good() -> None:
    machine = Machine()
    machine.says(GPU, SECOND, seconds=11)
    machine.says(replace(GPU, power_w=None), SECOND, seconds=60)
    power = machine.says(GPU, SECOND, seconds=11)
    assert (power.energy_j, power.gap_s) == (2 * 10 * 400.0 + 81 * 200.0, 61.0)


def test_a_machine_that_is_not_read_any_more_is_a_gap() -> None:
    box = Box()
    for second in range(11):
        box.add_devices(float(second), 1.0, [GPU], [GPU])
    power = box.power(60.0, None, [replace(GPU, power_w=None)])
    assert (power.power_w, power.energy_j, power.seconds, power.gap_s) == (None, 4000.0, 10.0, 50.0)


def test_the_energy_of_each_device_is_told() -> None:
    machine = Machine()
    machine.says(GPU, replace(GPU, id="nvidia0/1", parent="nvidia0"), SECOND, DARK_CPU, seconds=11)
    spent = machine.monitor.snapshot().session_energy_j
    assert spent == {"nvidia0": 4000.0, "nvidia0/1": None, "nvidia1": 2000.0, "cpu": None}


def test_idle_power_is_told_of_each_device() -> None:
    machine = Machine()
    resting = replace(GPU, power_w=55.0, utilization=0.0)
    machine.says(resting, replace(SECOND, utilization=0.9), seconds=8)
    assert machine.monitor.snapshot().idle_w == {"nvidia0": 55.0, "nvidia1": None}
