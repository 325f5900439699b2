"""What a person would take of a machine's many ways."""

from llmtop.estimator.catalogue.devices import device
from llmtop.estimator.catalogue.models import model, models
from llmtop.estimator.fit import READING_TPS, Box, Wish
from llmtop.estimator.offers import BRISK_TPS, of_model, offers
from llmtop.estimator.software import engine
from llmtop.probes.sample import Bandwidth, Device

GIB = 1 << 30
CPU = Device(
    id="cpu",
    name="processor",
    vendor="AMD",
    kind="cpu",
    memory_type="DDR",
    memory_total_bytes=32 * GIB,
    bandwidth_gbs=Bandwidth(peak=51.2),
    cores=8,
)
WISH = Wish(engine=engine("llama.cpp"))


def box(name: str) -> Box:
    return Box(gpus=(device(name).as_device("gpu"),), cpu=CPU)


def taken(name: str, model_name: str) -> tuple[str | None, str | None]:
    first = of_model(model(model_name), box(name), WISH)[0]
    assert first.chosen
    return first.fit.facts.quantization, first.fit.runs_on


def test_the_best_weights_that_are_brisk_on_the_card() -> None:
    assert taken("RTX 4090", "Qwen3-8B") == ("Q8_0", "gpu")
    assert taken("RTX 3060 12GB", "Qwen3-8B") == ("Q8_0", "gpu")
    assert taken("RTX 3060 12GB", "Qwen3-14B") == ("Q5_K_M", "gpu")


def test_four_bits_where_it_is_slow_and_fewer_only_where_nothing_else_runs() -> None:
    assert taken("RTX 3060 12GB", "Qwen3-30B-A3B")[0] == "Q4_K_M"
    row = of_model(model("Llama-3.3-70B-Instruct"), box("RTX 4090"), WISH)
    assert row[0].fit.facts.quantization in {"Q4_K_M", "Q3_K_M", "Q2_K"}
    assert row[0].found is not None


def test_a_model_that_was_made_in_four_bits_has_no_other() -> None:
    assert [each.fit.facts.quantization for each in of_model(model("gpt-oss-20b"), box("RTX 4090"), WISH)] == ["MXFP4"]


def test_nothing_that_does_not_fit_has_a_speed_and_everything_that_fits_a_band_and_a_basis() -> None:
    found = offers(models().values(), box("RTX 3060 12GB"), WISH)
    assert {each.model.name for each in found if each.model} == set(models())
    for each in found:
        assert (each.found is None) == (each.fit.runs_on is None)
        if each.found:
            band = each.found.decode_tps
            assert 0 < band.low <= band.value <= band.high
            assert each.found.basis
    assert sum(each.chosen for each in found) == len(models())


def test_what_runs_at_reading_speed_comes_first_and_what_fits_nowhere_last() -> None:
    firsts = [each for each in offers(models().values(), box("RTX 3060 12GB"), WISH) if each.chosen]
    fast = [each.tps >= READING_TPS for each in firsts]
    assert fast == sorted(fast, reverse=True)
    fitting = [each.found is not None for each in firsts]
    assert fitting == sorted(fitting, reverse=True)
    assert firsts[0].tps >= READING_TPS
    assert BRISK_TPS > READING_TPS
