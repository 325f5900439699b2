"""Numbers as a person reads them."""

import pytest
from llmtop.tui import format as fmt


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.0, "0"),
        (0.424, "0.42"),
        (6.21, "6.2"),
        (62.14, "62.1"),
        (99.96, "100"),
        (101.7, "102"),
        (999.6, "1.0 k"),
        (1934.0, "1.9 k"),
        (123_456.0, "123 k"),
    ],
)
def test_rate(value: float | None, shown: str) -> None:
    assert fmt.rate(value) == shown


@pytest.mark.parametrize(
    ("joules", "shown"),
    [
        (None, "–"),
        (0.0, "0 Wh"),
        (17.0, "0 Wh"),
        (1512.0, "0.42 Wh"),
        (30_240.0, "8.4 Wh"),
        (139_000.0, "39 Wh"),
        (360_000.0, "0.10 kWh"),
        (1_116_000.0, "0.31 kWh"),
        (4_464_000.0, "1.24 kWh"),
        (44_640_000.0, "12.4 kWh"),
        (446_400_000.0, "124 kWh"),
    ],
)
def test_energy(joules: float | None, shown: str) -> None:
    assert fmt.energy(joules) == shown


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (None, "EUR", "–"),
        (0.0, "EUR", "0 EUR"),
        (0.00123, "EUR", "0.0012 EUR"),
        (0.0931, "EUR", "0.093 EUR"),
        (0.186, "EUR", "0.19 EUR"),
        (12.4, "€", "€12.40"),
        (12_400.0, "$", "$12400"),
        (3.5, None, "3.50"),
    ],
)
def test_money(amount: float | None, currency: str | None, shown: str) -> None:
    assert fmt.money(amount, currency) == shown


@pytest.mark.parametrize(
    ("watts", "shown"),
    [(7.25, "7.2 W"), (87.4, "87 W"), (661.0, "661 W"), (996.0, "1.0 kW"), (2432.0, "2.4 kW"), (120_000.0, "120 kW")],
)
def test_about_watts(watts: float, shown: str) -> None:
    assert fmt.about_watts(watts) == shown


def test_exact_rate_keeps_the_digits_of_thousands() -> None:
    assert [fmt.exact_rate(value) for value in (62.1, 1934.2, 123_456.0, None)] == ["62.1", "1934", "123 k", "–"]


@pytest.mark.parametrize(
    ("share", "shown"), [(None, "–"), (0.0, "0 %"), (0.004, "0.4 %"), (0.88, "88 %"), (1.204, "120 %")]
)
def test_percent(share: float | None, shown: str) -> None:
    assert fmt.percent(share) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (7.25, "7.2 W"), (212.4, "212 W"), (3283.0, "3283 W"), (12_400.0, "12.4 kW")]
)
def test_watts(value: float | None, shown: str) -> None:
    assert fmt.watts(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (640 * 2**20, "640 MiB"), (21.2 * 2**30, "21.2 GiB"), (128 * 2**30, "128 GiB"), (2**41, "2.0 TiB")],
)
def test_size(value: float | None, shown: str) -> None:
    assert fmt.size(value) == shown


def test_used_of_speaks_in_one_unit() -> None:
    assert fmt.used_of(21.2 * 2**30, 24 * 2**30) == "21.2 of 24.0 GiB"
    assert fmt.used_of(300 * 2**20, 128 * 2**30) == "0 of 128 GiB"
    assert fmt.used_of(None, 24 * 2**30) == "– of 24.0 GiB"
    assert fmt.used_of(None, None) == "–"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0.0043, "4.3 ms"), (0.0161, "16 ms"), (0.212, "0.21 s"), (12.3, "12 s")],
)
def test_seconds(value: float | None, shown: str) -> None:
    assert fmt.seconds(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(42.2, "42 s"), (60.0, "1 min"), (90.0, "90 s"), (190.0, "3 min"), (7500.0, "2 h 5 min")]
)
def test_duration(value: float, shown: str) -> None:
    assert fmt.duration(value) == shown


def test_position() -> None:
    assert [fmt.position(value) for value in (0.0, 42.9, 190.0, 3723.0)] == ["0:00", "0:42", "3:10", "1:02:03"]


def test_count() -> None:
    values = (None, 0.0, 12.0, 3110.0, 32_768.0, 8_190_735_360.0)
    assert [fmt.count(value) for value in values] == ["–", "0", "12", "3.1 k", "32.8 k", "8.2 G"]


def test_joules_span_mark_and_clocks() -> None:
    assert (fmt.joules(3.41), fmt.joules(0.304), fmt.joules(None)) == ("3.4 J", "0.30 J", "–")
    assert (fmt.span(61.2, 78.1), fmt.span(6.12, 7.81), fmt.span(12_000.0, 15_000.0)) == (
        "61-78",
        "6.1-7.8",
        "12.0 k-15.0 k",
    )
    assert (fmt.mark(102.3), fmt.mark(6.24), fmt.mark(0.0), fmt.mark(21_000.0)) == ("102", "6.2", "0", "21.0k")
    assert (fmt.megahertz(2520.0), fmt.celsius(64.0), fmt.interval(0.5)) == ("2520 MHz", "64 °C", "0.5 s")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8080", ":8080"),
        ("http://localhost:11434", ":11434"),
        ("http://[::1]:8000", ":8000"),
        ("http://10.0.0.7:8000", "10.0.0.7:8000"),
        ("http://[fd00::7]:8000", "[fd00::7]:8000"),
        ("https://gpu.example", "gpu.example"),
        ("nonsense", "nonsense"),
        ("http://host:port", "http://host:port"),
    ],
)
def test_address(url: str, shown: str) -> None:
    assert fmt.address(url) == shown
