"""A price as people write it."""

import pytest
from llmtop.estimator.snapshot import Price
from llmtop.tui.price import price


@pytest.mark.parametrize(
    ("text", "per_kwh", "currency"),
    [
        ("0.30", 0.3, None),
        (".3", 0.3, None),
        ("30", 30.0, None),
        ("999.99", 999.99, None),
        ("0.30 EUR", 0.3, "EUR"),
        ("0.30EUR", 0.3, "EUR"),
        ("€0.30", 0.3, "€"),
        ("0.30 €", 0.3, "€"),
        ("A$ 0.3", 0.3, "A$"),
        (" 0.3 Kč ", 0.3, "Kč"),
    ],
)
def test_what_is_a_price(text: str, per_kwh: float, currency: str | None) -> None:
    assert price(text) == Price(per_kwh=per_kwh, currency=currency)


@pytest.mark.parametrize(
    "text",
    ["", "EUR", "0", "0.0", "-0.3", "1000", "1e2", "0,30", "nan", "inf", "٣", "1_0", "0.3.0", "0.30 EUR/kWh",
     "€0.30 EUR", "0.30 [b]EUR", "0.30 \x1b[31m", "0.30 " + "x" * 9, "9" * 5000],
)  # fmt: skip
def test_what_is_none_is_said_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"^'.*' is no price of a kWh between 0 and 1000: write it as 0\.30") as found:
        price(text)
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 150
