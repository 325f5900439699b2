"""What the panels show, as pure functions."""

import pytest
from llmtop.estimator.snapshot import Expected
from llmtop.tui.commands import COMMANDS, INTERVALS, available, stepped
from llmtop.tui.themes import OWN
from llmtop.tui.widgets.answer import answer
from llmtop.tui.widgets.body import rows, wants
from llmtop.tui.widgets.focus import pick, title
from llmtop.tui.widgets.hardware import box_title, device_name, device_rows, one_row
from llmtop.tui.widgets.headline import line, tall
from llmtop.tui.widgets.lead import lead, verdict
from llmtop.tui.widgets.table import ORDERS, arrange, column_at, columns, engine_row, heading
from llmtop.tui.widgets.vitals import vitals
from llmtop.tui.widgets.words import STATUS, idle_for
from msgspec.structs import replace
from textual.theme import Theme

from . import scenes


def test_the_headline_says_all_five_numbers() -> None:
    view = replace(scenes.llama(), decode_tps=62.1)
    assert line(view, (), 1.0, 120).text == (
        "62.1 tok/s   88 % of 70.4 expected   (61-78)   61 % of 102 ceiling   212 W   3.4 J/token"
    )


def test_the_headline_fits_80_columns_and_keeps_what_matters() -> None:
    view = replace(scenes.llama(), decode_tps=62.1)
    assert line(view, (), 1.0, 76).text == (
        "62.1 tok/s  88 % of 70.4 expected  61 % of 102 ceiling  212 W  3.4 J/token"
    )
    assert line(view, (), 1.0, 40).text == "62.1 tok/s  88 % of 70.4 expected"
    assert line(view, (), 1.0, 12).text == "62.1 tok/s"


def test_a_rate_that_moves_at_the_end_of_a_request_is_labelled() -> None:
    view = scenes.slow().engines[0]
    assert "at request end" in line(view, (), 1.0, 76).text
    assert "moves at request end" in "".join(part.text for part in tall(view, (), 1.0, 110))


@pytest.mark.parametrize(("measured", "words"), [(50.0, "below"), (70.0, "within"), (90.0, "above"), (None, "")])
def test_the_verdict_is_said_in_a_word(measured: float | None, words: str) -> None:
    assert verdict(lead(replace(scenes.llama(), decode_tps=measured, prefill_tps=None)))[0] == words


def test_idle_says_since_when_and_what_it_could_reach() -> None:
    snapshot = scenes.idle()
    view = snapshot.engines[0]
    trail = snapshot.decode_trails[view.id]
    shown = line(view, trail, 1.0, 98).text
    assert shown == "○ idle   for 42 s, last 61.4 tok/s   70.4 tok/s expected   102 ceiling   28 W"
    assert idle_for((None, 0.0), 1.0) is None
    assert idle_for((5.0, 0.0, None), 2.0) == (4.0, 5.0)


@pytest.mark.parametrize("width", [20, 40, 76, 116, 196])
@pytest.mark.parametrize("height", [1, 4, 8, 12, 20, 50])
def test_the_answer_fits_its_panel(width: int, height: int) -> None:
    for scene in scenes.SCENES.values():
        snapshot = scene(0)
        for view in snapshot.engines[:6]:
            drawn = answer(view, snapshot.decode_trails.get(view.id, ()), 1.0, width, height)
            assert len(drawn) <= height


def test_an_unknown_ceiling_says_what_brings_it() -> None:
    snapshot = scenes.unmeasured()
    view = snapshot.engines[0]
    drawn = answer(view, (), 1.0, 116, 20)
    assert "ceiling – press m to measure the memory bandwidth" in [part.text for part in drawn]


def test_focus_takes_the_busiest_and_keeps_it() -> None:
    engines = scenes.mixed().engines
    assert pick(engines, "", chosen=False) == "http://10.0.0.7:8000"
    assert pick(engines, "http://127.0.0.1:8080", chosen=False) == "http://127.0.0.1:8080"
    assert pick(engines, "http://127.0.0.1:8082", chosen=False) == "http://10.0.0.7:8000"
    assert pick(engines, "http://127.0.0.1:8082", chosen=True) == "http://127.0.0.1:8082"
    assert pick((scenes.gone(), scenes.ollama()), "", chosen=False) == "http://127.0.0.1:11434"
    assert pick((scenes.gone(),), "", chosen=False) == "http://127.0.0.1:8082"
    assert pick((), "http://127.0.0.1:8082", chosen=True) == ""


def test_the_title_leaves_out_what_is_unknown() -> None:
    assert title(scenes.llama()) == "llama.cpp :8080 ─ Qwen3-8B Q4_K_M ─ 4 slots"
    assert title(scenes.locked()) == "vLLM :8001"


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_keeps_all_engines(order: str) -> None:
    engines = scenes.mixed().engines
    kept = arrange(engines, next(key for key in ORDERS if key == order), "")
    assert {view.url for view in kept} == {view.url for view in engines}


def test_the_filter_takes_words_in_any_order() -> None:
    engines = scenes.mixed().engines
    assert [view.url for view in arrange(engines, "found", "GONE llama")] == ["http://127.0.0.1:8082"]
    assert arrange(engines, "found", "nothing like it") == []


@pytest.mark.parametrize("width", [40, 56, 76, 120, 200])
def test_table_rows_fit_and_headings_can_be_hit(width: int) -> None:
    engines = scenes.names().engines
    cells = columns(width, engines)
    shown = heading(cells, "rate")
    assert shown.width <= width + 1
    assert column_at(cells, shown.text.index("tok/s") + 1) == "rate"
    for view in engines:
        assert engine_row(view, cells, cursor=False, focused=True).width <= width + 2


def test_each_status_has_a_word_of_its_own() -> None:
    assert len({word for _, word, _ in STATUS.values()}) == len(STATUS)


@pytest.mark.parametrize("width", [48, 56, 72, 130])
@pytest.mark.parametrize("height", [4, 12, 18, 52])
def test_device_rows_fit(width: int, height: int) -> None:
    for snapshot in (scenes.gpus(), scenes.busy(), scenes.bare(), scenes.names()):
        drawn = device_rows(snapshot.devices, snapshot.power_trails, width, height)
        assert all(line.width <= width for line in drawn)
        assert len(drawn) <= max(height, 2 * len(snapshot.devices))


def test_device_names_lose_what_everybody_knows() -> None:
    assert device_name(scenes.gpu(2)) == "2 RTX 4090"
    assert device_name(scenes.CPU) == "AMD Ryzen 9 7950X"


def test_trouble_of_a_device_is_shown() -> None:
    shown = "\n".join(line.text for line in device_rows(scenes.gpus().devices, {}, 60, 9))
    assert "▲ fell off the bus" in shown
    assert "▲ power cap" in "\n".join(line.text for line in device_rows(scenes.mixed().devices, {}, 60, 9))


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (80, "³ devices 9 · 3.3 kW · 0.60 kWh · 0.18 EUR"),
        (42, "³ devices 9 · 3.3 kW · 0.60 kWh · 0.18 EUR"),
        (41, "³ devices 9 · 3.3 kW · 0.18 EUR"),
        (30, "³ devices 9 · 3.3 kW"),
        (12, "³ devices 9"),
    ],
)
def test_the_border_says_what_the_machine_takes(width: int, words: str) -> None:
    assert box_title(scenes.SCENES["gpus"](0), width) == words


def test_the_power_of_one_device_is_said_once() -> None:
    assert box_title(scenes.SCENES["busy"](0), 80) == "³ devices 2 · 39 Wh"
    assert box_title(scenes.SCENES["bare"](0), 80) == "³ devices"


def test_idle_power_stands_where_there_is_room() -> None:
    assert one_row(scenes.gpu(), 100, 21.4).text.endswith("98 % 64 °C 2520 MHz idle 21 W")
    assert "idle" not in one_row(scenes.gpu(), 76, 21.4).text
    shown = "\n".join(line.text for line in device_rows([scenes.gpu()], {}, 76, 9, {"nvidia0": 21.4}))
    assert "2520 MHz  idle 21 W" in shown


def test_the_session_and_the_measured_roof_stand_under_the_chart() -> None:
    view = replace(scenes.llama(), mbu=0.61, bandwidth_utilization=0.66)
    first, second = (line.text for line in vitals(view, 180, 2))
    assert "MBU 61 % · memory busy 66 % measured" in first
    assert second.endswith("made 31.2 k tokens    session 4.1 J/token")
    assert "session" not in vitals(view, 76, 1)[0].text
    assert "memory busy" not in vitals(replace(view, bandwidth_utilization=None), 180, 2)[0].text
    assert line(scenes.idle().engines[0], (), 1.0, 120).text.endswith("28 W   session 4.1 J/token")


def test_the_screen_is_shared_out() -> None:
    assert rows(80, 22, wants(scenes.busy())) == "1fr 4 6 1"
    assert rows(120, 38, wants(scenes.busy())) == "1fr 6 4"
    assert rows(120, 38, wants(scenes.gpus())) == "1fr 11 5"
    assert rows(200, 58, wants(scenes.gpus())) == "6 1fr 6"
    assert rows(200, 58, wants(scenes.many())) == "29 1fr 6"


def test_every_command_has_a_key_a_title_and_help() -> None:
    assert all(command.keys and command.title and command.help for command in COMMANDS)
    keys = [key for command in COMMANDS for key in command.keys.split(",")]
    assert len(keys) == len(set(keys))
    assert len(available(replay=False)) < len(available(replay=True))


def test_steps_stop_at_the_ends() -> None:
    assert stepped(INTERVALS, 1.0, 1) == 2.0
    assert stepped(INTERVALS, 10.0, 1) == 10.0
    assert stepped(INTERVALS, 0.5, -1) == 0.5
    assert stepped(INTERVALS, 1.4, 1) == 2.0


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", OWN, ids=lambda theme: theme.name)
def test_text_has_contrast_in_both_themes(theme: Theme) -> None:
    assert theme.background is not None
    ground = luminance(theme.background)
    for colour in (theme.foreground, theme.primary, theme.secondary, theme.accent, theme.warning, theme.error):
        assert colour is not None
        light, dark = max(luminance(colour), ground), min(luminance(colour), ground)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_no_band_no_verdict() -> None:
    view = replace(scenes.llama(), expected=Expected())
    assert verdict(lead(view)) == ("", "dim")
    assert "expected" not in line(view, (), 1.0, 100).text


def test_prefill_leads_while_nothing_is_generated() -> None:
    view = replace(scenes.llama(), decode_tps=0.0)
    assert line(view, (), 1.0, 120).text.startswith("1912 tok/s prefill   ▲ at request end   46 % of 4200 expected")
    assert "prefill" in tall(view, (), 1.0, 110)[1].text


def test_a_rate_counted_in_pieces_is_about_right_and_says_so() -> None:
    view = scenes.told().engines[0]
    assert line(view, (), 1.0, 100).text.startswith("~")
    assert "live, about" in "".join(part.text for part in tall(view, (), 1.0, 110))
    assert "drafts right 71 %" in "".join(part.text for part in answer(view, (), 1.0, 120, 20))


def test_an_engine_of_which_nothing_is_known_is_not_called_idle() -> None:
    view = scenes.told().engines[1]
    shown = line(view, (), 1.0, 120).text
    assert shown == ("● speed unknown   last request 45.6 tok/s   150 tok/s expected   230 ceiling")
    drawn = "\n".join(part.text for part in answer(view, (), 1.0, 120, 20))
    assert "publishes no live count" in drawn
    assert "idle" not in drawn
    assert "nothing to do" not in drawn
    cells = columns(100, [view])
    assert "(45.6)" in engine_row(view, cells, cursor=False, focused=False).text


def test_the_title_names_who_stands_before_an_engine() -> None:
    view = scenes.told().engines[2]
    assert title(view) == "llama.cpp :9292 ─ Qwen3-8B Q4_K_M ─ 4 slots ─ TP 2 ─ through llama-swap"
    assert "prefix hits 43 %" in "".join(part.text for part in answer(view, (), 1.0, 140, 20))
