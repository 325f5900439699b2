"""Names: what is found, what is refused, and with which words."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.estimator.catalogue.device_names import normalise
from llmtop.estimator.catalogue.devices import device_names, devices
from llmtop.estimator.catalogue.names import Names, UnknownName, find, plain

QUANTS = Names({"Q4_K_M": ("Q4_K - Medium",), "Q4_K_S": (), "IQ4_XS": (), "F16": ("fp16", "half")}, "quantisation")
CHIPS = Names(
    {"Chip 10GB": (), "Chip 12GB": (), "Twin 1c": (), "Twin 2c": ()},
    "chip",
    detail=re.compile(r"\d+gb|\d+c"),
    facts=lambda key: key.split()[0] if key.startswith("Twin") else key,
)


ODD = "NVIDIA GeForce 10 GB g @ CPU with w/ Radeon core 8-core GPU Mobile 12th Gen (R) Ryzen Threadripper"


@pytest.mark.parametrize("asked", ["Q4_K_M", "q4_k_m", "q4km", "Q4-K-M", " q4 k m ", "q4_k - medium", "Q4_K - Medium"])
def test_case_and_punctuation_carry_nothing(asked: str) -> None:
    assert find(asked, QUANTS) == "Q4_K_M"


@pytest.mark.parametrize("asked", ["Q4_K", "Q4", "4_K_M", "Q5_K_M", "Q4_K_L", "Q4_K_M x"])
def test_a_part_or_a_likeness_is_no_match(asked: str) -> None:
    with pytest.raises(UnknownName, match="unknown quantisation"):
        find(asked, QUANTS)


def test_the_error_offers_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r'^unknown quantisation "Q4KL"; nearest: Q4_K_S, Q4_K_M'):
        find("Q4KL", QUANTS)


@pytest.mark.parametrize(
    ("asked", "first"),
    [("4090", "RTX 4090"), ("7900 XT", "RX 7900 XT"), ("M4 Pro 18c", "Apple M4 Pro 16c"), ("RTX 4909", "RTX 4090")],
)
def test_names_that_hold_the_one_that_was_asked_for_come_first(asked: str, first: str) -> None:
    with pytest.raises(UnknownName) as caught:
        find(asked, device_names())
    assert str(caught.value).startswith(f'unknown hardware "{asked}"; nearest: {first}, ')
    assert caught.value.brief == f'unknown hardware "{asked}"'


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("M3 Max 30-core", "Apple M3 Max 30c"),
        ("Apple M3 Max (40 cores)", "Apple M3 Max 40c"),
        ("M3 Max (30-core GPU)", "Apple M3 Max 30c"),
        ("M1 Ultra 64-core GPU", "Apple M1 Ultra 64c"),
        ("M2 Pro 16-core", "Apple M2 Pro 16c"),
        ("EPYC 7763 64-Core Processor", "EPYC 7763"),
    ],
)
def test_cores_that_can_only_be_those_of_the_gpu(asked: str, found: str) -> None:
    assert find(asked, device_names()) == found


@pytest.mark.parametrize("asked", ["M3 Max 16-core", "M1 Max 10-core", "M3 Max"])
def test_cores_that_may_be_those_of_the_cpu_tell_nothing(asked: str) -> None:
    with pytest.raises(UnknownName, match="may be Apple M"):
        find(asked, device_names())


def test_names_that_nobody_knows_are_refused_at_once() -> None:
    """Only the text looks the nearest up."""
    find("RTX 4090", device_names())
    start = time.perf_counter()
    for number in range(5000):
        with pytest.raises(UnknownName):
            find(f"Card {number}", device_names())
    assert time.perf_counter() - start < 1.5


def test_an_ambiguous_name_lists_what_it_may_be() -> None:
    with pytest.raises(UnknownName, match=r'^chip "chip" may be Chip 10GB or Chip 12GB$'):
        find("chip", CHIPS)


def test_rows_that_are_the_same_stand_for_each_other() -> None:
    assert find("twin", CHIPS) == "Twin 1c"


def test_a_detail_that_no_row_has_is_refused() -> None:
    with pytest.raises(UnknownName, match=r"nearest: Chip 10GB"):
        find("Chip 16GB", CHIPS)


def test_two_rows_of_one_name_are_a_fault_of_the_table() -> None:
    with pytest.raises(ValueError, match="both have the name"):
        Names({"RTX 1": (), "Card": ("rtx-1",)}, "hardware")


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert normalise(normalise(text)) == normalise(text)


@given(st.lists(st.sampled_from(ODD.split())))
def test_normalising_odd_orders_twice_changes_nothing(words: list[str]) -> None:
    once = normalise(" ".join(words))
    assert normalise(once) == once


@given(st.text())
def test_any_text_gives_a_row_or_one_line(text: str) -> None:
    try:
        said = find(text, device_names())
    except UnknownName as error:
        said = str(error)
    else:
        assert said in devices()
    assert len(said.splitlines()) == 1
    assert said.isprintable()


@given(st.sampled_from(sorted(devices())), st.integers(0, 40), st.sampled_from("0123456789"))
def test_another_digit_is_another_name(name: str, position: int, digit: str) -> None:
    places = [at for at, sign in enumerate(name) if sign.isdigit()]
    if not places:
        return
    at = places[position % len(places)]
    asked = name[:at] + digit + name[at + 1 :]
    try:
        found = devices()[find(asked, device_names())]
    except UnknownName:
        return
    digits = [_digits(known) for known in (found.name, *found.aliases)]
    said = _digits(asked)
    size = "".join(filter(str.isdigit, re.sub(r"^.*?(\d*)\s?GB.*$|^.*$", r"\1", asked)))
    assert said in digits or said.removesuffix(size) in digits  # "RX 590 8GB" is the RX 590, which has 8 GB


def _digits(name: str) -> str:
    """All but the version of the socket SXM, which nobody tells apart."""
    return "".join(filter(str.isdigit, re.sub(r"SXM\d", "SXM", name)))


def test_a_thousand_names_are_found_at_once() -> None:
    table = device_names()
    asked = [f"NVIDIA GeForce {name} GPU" for name in devices() if not name.endswith("CPU")]
    asked = (asked * 2)[:1000]
    start = time.perf_counter()
    for name in asked:
        find(name, table)
    assert time.perf_counter() - start < 0.3
