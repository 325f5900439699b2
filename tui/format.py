"""Numbers as a person reads them. Unknown is "–"."""

import time
from urllib.parse import urlsplit

UNKNOWN = "–"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0", "::"})  # noqa: S104 # compared, never bound


def _significant(value: float) -> str:
    """Three digits or so: 0.42, 6.2, 62.1, 621."""
    if abs(value) < 0.995:
        return f"{value:.2f}"
    if abs(value) < 99.95:
        return f"{value:.1f}"
    return f"{value:.0f}"


def rate(value: float | None) -> str:
    """Tokens a second: "62.1", "1.9 k"."""
    if value is None:
        return UNKNOWN
    if abs(value) < 0.005:
        return "0"
    if abs(value) < 999.5:
        return _significant(value)
    thousands = value / 1000
    return f"{thousands:.1f} k" if abs(thousands) < 99.95 else f"{thousands:.0f} k"


def exact_rate(value: float | None) -> str:
    """The one rate that is looked at closely: thousands keep their digits, "1934"."""
    return f"{value:.0f}" if value is not None and 999.5 <= abs(value) < 99_999.5 else rate(value)


def span(low: float, high: float) -> str:
    """A range: "61-78", "6.1-7.8"."""
    if high < 10:
        return f"{low:.1f}-{high:.1f}"
    return f"{low:.0f}-{high:.0f}" if high < 9999.5 else f"{rate(low)}-{rate(high)}"


def mark(value: float) -> str:
    """A point on a scale, as short as it gets: "102", "6.2", "1.9k"."""
    if value >= 9999.5:
        return rate(value).replace(" ", "")
    return f"{value:.0f}" if value >= 9.95 or value == 0 else f"{value:.1f}"


def percent(share: float | None) -> str:
    """A share of 1: "88 %"."""
    if share is None:
        return UNKNOWN
    return f"{share * 100:.1f} %" if 0.0005 <= share < 0.00995 else f"{share * 100:.0f} %"


def watts(value: float | None) -> str:
    """Power: "212 W", "4.9 kW"."""
    if value is None:
        return UNKNOWN
    if value >= 9999.5:
        return f"{value / 1000:.1f} kW"
    return f"{value:.1f} W" if value < 9.95 else f"{value:.0f} W"


def about_watts(value: float) -> str:
    """Power in few letters: "87 W", "661 W", "2.4 kW"."""
    if value >= 995:
        return f"{value / 1000:.1f} kW" if value < 99_500 else f"{value / 1000:.0f} kW"
    return watts(value)


def joules(value: float | None) -> str:
    """Energy: "3.4 J"."""
    return UNKNOWN if value is None else f"{_significant(value)} J"


def energy(joules: float | None) -> str:
    """What a meter counts: "8.4 Wh", "39 Wh", "0.31 kWh"."""
    if joules is None:
        return UNKNOWN
    hours = joules / 3600
    if hours < 0.005:
        return "0 Wh"
    if hours < 99.5:
        return f"{hours:.0f} Wh" if hours >= 9.95 else f"{_significant(hours)} Wh"
    kilo = hours / 1000
    return f"{kilo:.2f} kWh" if kilo < 9.995 else f"{_significant(kilo)} kWh"


def money(amount: float | None, currency: str | None = None) -> str:
    """As in "0.093 EUR", "€12.40"; a sign stands before, a word behind."""
    if amount is None:
        return UNKNOWN
    if amount < 0.00005:
        figure = "0"
    elif amount < 0.0995:
        figure = f"{amount:.3f}" if amount >= 0.00995 else f"{amount:.4f}"
    else:
        figure = f"{amount:.2f}" if amount < 9999.5 else f"{amount:.0f}"
    if not currency:
        return figure
    return f"{figure} {currency}" if currency.isalpha() else f"{currency}{figure}"


def size(count: float | None) -> str:
    """Bytes of memory, as memory is sold: "21.2 GiB"."""
    if count is None:
        return UNKNOWN
    if count >= 1023.5 * 2**30:
        return f"{count / 2**40:.1f} TiB"
    if count >= 0.995 * 2**30:
        gib = count / 2**30
        return f"{gib:.1f} GiB" if gib < 99.95 else f"{gib:.0f} GiB"
    return f"{count / 2**20:.0f} MiB"


def used_of(used: float | None, total: float | None) -> str:
    """Two sizes in one unit: "21.2 of 24.0 GiB"."""
    if used is None or total is None:
        return f"{size(used)} of {size(total)}" if used is not None or total is not None else UNKNOWN
    number, unit = size(total).rsplit(" ", 1)
    scale = {"TiB": 2**40, "GiB": 2**30}.get(unit, 2**20)
    digits = 1 if "." in number else 0
    return f"{used / scale:.{digits}f} of {number} {unit}"


def count(value: float | None) -> str:
    """Tokens, parameters, requests: "12", "3.1 k", "8.2 G"."""
    if value is None:
        return UNKNOWN
    for unit, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= scale * 0.9995:
            scaled = value / scale
            return f"{scaled:.1f} {unit}" if scaled < 99.95 else f"{scaled:.0f} {unit}"
    return f"{value:.0f}"


def seconds(value: float | None) -> str:
    """A latency: "16 ms", "0.21 s", "12 s"."""
    if value is None:
        return UNKNOWN
    if value < 0.0995:
        return f"{value * 1000:.1f} ms" if value < 0.00995 else f"{value * 1000:.0f} ms"
    return f"{value:.2f} s" if value < 9.995 else f"{value:.0f} s"


def duration(value: float) -> str:
    """A stretch of time in words: "42 s", "3 min", "2 h 5 min"."""
    whole = round(value)
    if whole < 120 and whole != 60:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    if minutes % 60 == 0:
        return f"{minutes // 60} h"
    return f"{minutes // 60} h {minutes % 60} min"


def position(value: float) -> str:
    """A place in a recording: "0:42", "1:02:03"."""
    whole = int(value)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def clock(wall: float) -> str:
    """Local time of day: "14:02:11"."""
    return time.strftime("%H:%M:%S", time.localtime(wall))


def interval(value: float) -> str:
    """The pace of the display: "0.5 s"."""
    return f"{value:g} s"


def megahertz(value: float | None) -> str:
    """A clock: "2520 MHz"."""
    return UNKNOWN if value is None else f"{value:.0f} MHz"


def celsius(value: float | None) -> str:
    """A temperature: "64 °C"."""
    return UNKNOWN if value is None else f"{value:.0f} °C"


def address(url: str) -> str:
    """Where an engine listens: ":8080" on this machine, "host:8000" elsewhere."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return url
    if not host:
        return url
    shown = f":{port}" if port is not None else ""
    if host in LOOPBACK:
        return shown or host
    return f"[{host}]{shown}" if ":" in host else f"{host}{shown}"
