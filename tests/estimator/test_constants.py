"""The constants that ship, and how they multiply the terms."""

import math

import pytest
from llmtop.estimator.catalogue.devices import devices
from llmtop.estimator.catalogue.formats import KINDS
from llmtop.estimator.constants import ALL, Constants, Spread, constants
from llmtop.estimator.silicon import classes
from llmtop.estimator.software import BACKENDS, ENGINES, ERAS
from llmtop.estimator.terms import Term

TERMS = {
    "decode": {"layers", "weights", "kv", "core", "attention", "batch", "exchange", "traffic", "hop"},
    "prefill": {"layers", "weights", "matrix", "attention", "exchange", "traffic"},
}
MADE = Constants(
    decode={
        "core": {ALL: 2.0, "cuda": 3.0, "cuda GDDR": 5.0, "llama.cpp": 7.0, "Ollama": 11.0},
        "hop": {ALL: 0.5},
    },
    prefill={"core": {ALL: 1.5}},
    spreads={
        "decode": {
            ALL: Spread(low=0.5, high=2.0, rows=100, devices=10, years="2023-2026"),
            "vLLM": Spread(low=0.8, high=1.2, rows=9, devices=2, years="2024"),
        },
    },
)


def _silicon() -> set[str]:
    each = [row.as_device(row.name) for row in devices().values()]
    return {name for device in each for backend in BACKENDS for name in classes(backend, device)}


def _term(name: str, amount: float, *names: str) -> Term:
    return Term(name=name, amount=amount, names=names)


def test_a_term_is_multiplied_by_all_of_its_names_that_are_known() -> None:
    assert MADE.seconds("decode", _term("core", 1e-3, "cuda", "cuda GDDR", "llama.cpp", "Ollama")) == pytest.approx(
        1e-3 * 2 * 3 * 5 * 7 * 11
    )
    assert MADE.seconds("prefill", _term("core", 1e-3, "cuda")) == pytest.approx(1.5e-3)
    assert MADE.seconds("decode", _term("hop", 3.0)) == pytest.approx(1.5)


def test_an_unknown_class_or_engine_is_taken_as_its_kin() -> None:
    kin = MADE.seconds("decode", _term("core", 1.0, "cuda", "llama.cpp"))
    assert MADE.seconds("decode", _term("core", 1.0, "cuda", "cuda Rubin", "llama.cpp", "New fork")) == kin == 42.0
    assert MADE.seconds("decode", _term("unheard of", 4.0, "cuda")) == 4.0


def test_a_spread_is_that_of_the_first_name_that_has_one() -> None:
    assert MADE.spread("decode", ["vLLM, cuda", "vLLM", ALL]) == ("vLLM", MADE.spreads["decode"]["vLLM"])
    assert MADE.spread("decode", ["mlx, metal", "mlx"]) == (ALL, MADE.spreads["decode"][ALL])


def test_what_ships_has_a_base_for_every_term_and_no_other_term() -> None:
    shipped = constants()
    assert set(shipped.decode) == TERMS["decode"]
    assert set(shipped.prefill) == TERMS["prefill"] | {"copy"}
    assert all(ALL in factors for table in (shipped.decode, shipped.prefill) for factors in table.values())


def test_every_factor_is_a_positive_number() -> None:
    shipped = constants()
    for table in (shipped.decode, shipped.prefill):
        for term, factors in table.items():
            for name, factor in factors.items():
                assert math.isfinite(factor) and factor > 0, (term, name)


def test_every_name_is_one_that_a_term_can_carry() -> None:
    """A constant under a name that nothing carries would never be used: a slip of the pen."""
    silicon = _silicon()
    kin = {engine.kin for engine in ENGINES.values()}
    known = silicon | kin | set(ENGINES) | set(KINDS) | {f"{each} {kind}" for each in kin for kind in KINDS}
    known |= {era for _, era in ERAS.values()}
    known |= {ALL, "experts", "small host", "linear attention", "fabric", "PCIe"}
    shipped = constants()
    names = {name for table in (shipped.decode, shipped.prefill) for factors in table.values() for name in factors}
    assert names - known == set()


def test_spreads_rest_on_rows_and_are_ranges() -> None:
    for phase, table in constants().spreads.items():
        assert ALL in table
        assert table[ALL].low < 1.0 < table[ALL].high, phase
        assert table[ALL].rows == max(spread.rows for spread in table.values())
        for name, spread in table.items():
            assert 0.0 < spread.low < spread.high < math.inf, (phase, name)
            assert spread.rows > 1 and spread.devices >= 1 and spread.years, (phase, name)


def test_every_spread_has_a_name_that_a_setup_can_ask_for() -> None:
    silicon = _silicon()
    engines = set(ENGINES) | {engine.kin for engine in ENGINES.values()}
    for table in constants().spreads.values():
        for name in set(table) - {ALL}:
            plain = name.removesuffix(" over several devices").removesuffix(" with a part on the CPU")
            engine, _, kind = plain.removeprefix("kin of ").partition(", ")
            assert engine in engines, name
            assert not kind or kind in silicon, name


def test_a_repeated_look_reads_the_file_once() -> None:
    assert constants() is constants()
