"""The maths of charts, gauges, bars and rows, without a terminal."""

from hypothesis import example, given
from hypothesis import strategies as st
from llmtop.estimator.snapshot import Band
from llmtop.tui.widgets.bar import bar, split_bar
from llmtop.tui.widgets.chart import area, band_rows, chart, levels, look
from llmtop.tui.widgets.digits import GLYPHS, big
from llmtop.tui.widgets.gauge import gauge, ruler, scale
from llmtop.tui.widgets.row import clip, left, parts, right, row, wrap

BAND = Band(value=70.0, low=60.0, high=80.0)

values = st.lists(st.none() | st.floats(0, 1e6), max_size=300)
bands = st.none() | st.tuples(st.floats(0.01, 1e5), st.floats(1, 3)).map(
    lambda pair: Band(value=pair[0] * pair[1], low=pair[0], high=pair[0] * pair[1] * 1.2)
)
ceilings = st.none() | st.floats(0.01, 1e6)


def test_a_bar_fills_in_eighths() -> None:
    assert [bar(share, 4) for share in (None, 0.0, 0.001, 0.5, 0.53, 1.0, 7.0)] == [
        "    ", "    ", "▏   ", "██  ", "██▏ ", "████", "████",
    ]  # fmt: skip
    assert split_bar(0.5, 4) == ("██", "  ")


def test_big_digits_are_rectangular() -> None:
    for glyph in GLYPHS.values():
        assert len({len(line) for line in glyph}) == 1
    assert {len(line) for line in big("1934.5 k–")} == {len(big("1934.5 k–")[0])}


def test_the_gauge_ends_at_the_ceiling() -> None:
    on = scale(50.0, BAND, 100.0)
    assert on is not None
    assert gauge(50.0, on, 44).text == "█" * 20 + "    " + "░" * 9 + " " * 7 + "▏100"
    assert ruler(on, 44).text == "0                    60 ╰───────╯ 80 expected"[:44]


def test_the_bar_covers_the_band_and_shows_it_by_ink() -> None:
    on = scale(70.0, BAND, 100.0)
    assert on is not None
    drawn = gauge(70.0, on, 44)
    assert drawn.text.startswith("█" * 28 + "░" * 5)
    assert [ink for _, ink in drawn.spans] == ["bar", "bar-band", "track-band", "track", "ceiling"]


def test_a_gauge_needs_something_to_measure_against() -> None:
    assert scale(50.0, None, None) is None
    without = scale(50.0, BAND, None)
    assert without is not None
    assert without.end == 100.0
    assert "▏" not in gauge(50.0, without, 40).text[-1:]


def test_a_measured_value_above_the_ceiling_stays_on_the_gauge() -> None:
    on = scale(120.0, BAND, 100.0)
    assert on is not None
    assert gauge(120.0, on, 24).text == "█" * 20 + "▏100"


def test_holes_and_zeros_differ() -> None:
    assert levels((None, 0.0, 50.0, 100.0, 300.0), 100.0, 2) == [0, 1, 4, 8, 8]
    assert area((None, None, 0.0, 0.0, 100.0, 100.0), 100.0, 4, 2) == ["   ⣿", "  ⣀⣿"]


def test_the_chart_scales_to_a_near_ceiling_and_names_a_far_one() -> None:
    near = look((50.0,), BAND, 100.0)
    far = look((5.0,), None, 100.0)
    assert near is not None
    assert (near.top, near.far) == (100.0, False)
    assert far is not None
    assert far.far
    assert "ceiling 100 ↑" in chart((5.0,), None, 100.0, (60, 6), 1.0)[0].text
    assert look((), None, None) is None
    assert look((0.0, None), None, None) is None


def test_a_far_ceiling_is_named_in_a_narrow_chart_too() -> None:
    band = Band(value=1.0, low=1.0, high=1.2)
    assert chart((), band, 1000.0, (20, 3), 1.0)[0].text == "       1000 ↑"
    assert chart((), band, 1000.0, (21, 3), 1.0)[0].text == "       ceiling 1000 ↑"


def test_the_band_covers_its_lines() -> None:
    assert list(band_rows(BAND, 100.0, 10)) == [2, 3]
    assert list(band_rows(Band(value=50.0, low=49.9, high=50.1), 100.0, 10)) == [5]
    assert list(band_rows(BAND, 50.0, 10)) == []


def test_the_time_axis_ends_now() -> None:
    drawn = chart((50.0,) * 200, BAND, 100.0, (107, 12), 1.0)
    axis = drawn[-1].text.rstrip()
    assert axis.endswith("now")
    assert "-1 min" in axis
    assert "-2 min" in axis


@example([], Band(value=1.0, low=1.0, high=1.2), 1000.0, (20, 3), 1.0)
@example([], Band(value=1.0, low=1.0, high=1.2), 1e6, (20, 3), 1.0)
@given(values, bands, ceilings, st.tuples(st.integers(0, 150), st.integers(0, 40)), st.sampled_from([0.5, 1.0, 10.0]))
def test_a_chart_fits_its_room(
    trail: list[float | None], band: Band | None, ceiling: float | None, size: tuple[int, int], period: float
) -> None:
    width, height = size
    drawn = chart(trail, band, ceiling, size, period)
    assert len(drawn) == height
    assert all(line.width <= width for line in drawn)


@given(st.none() | st.floats(0, 1e6), bands, ceilings, st.integers(12, 150))
def test_a_gauge_fits_its_room(measured: float | None, band: Band | None, ceiling: float | None, width: int) -> None:
    on = scale(measured, band, ceiling)
    if on is not None:
        assert gauge(measured, on, width).width == width
        assert ruler(on, width).width <= width


@given(st.text(max_size=30), st.integers(0, 20))
def test_text_takes_exactly_its_cells(text: str, width: int) -> None:
    assert row((left(text, width), "text")).width == width
    assert row((right(text, width), "text")).width == width
    assert row((clip(text, width), "text")).width <= width


def test_parts_drop_the_least_first() -> None:
    pieces = [(0, [("aaaa", "text")]), (2, [("bbbb", "text")]), (1, [("cccc", "text")])]
    assert parts(20, 2, pieces).text == "aaaa  bbbb  cccc"
    assert parts(12, 2, pieces).text == "aaaa  cccc"
    assert parts(3, 2, pieces).text == "aaaa"


def test_sentences_wrap_at_blanks() -> None:
    assert [line.text for line in wrap("one two three four", 9, 2, "text")] == ["one two", "three fo…"[:9]]
    assert wrap("", 9, 2, "text") == []
