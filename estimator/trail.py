"""A history with one value an interval, and holes where nothing was known."""

from collections import deque

from .snapshot import Trail as Values

LENGTH = 600


class Trail:
    """The newest values of one quantity, one for each interval of the clock."""

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._values: deque[float | None] = deque(maxlen=LENGTH)
        self._slot: int | None = None

    def add(self, time: float, value: float | None) -> None:
        """Sets the value of the interval that `time` falls into; intervals that were skipped become holes."""
        slot = int(time / self.interval)
        if self._slot is None or slot < self._slot:
            self._values.append(value)
        elif slot == self._slot:
            self._values[-1] = value
        else:
            self._values.extend([None] * min(slot - self._slot - 1, LENGTH))
            self._values.append(value)
        self._slot = slot

    @property
    def values(self) -> Values:
        """Oldest first. The first one belongs to an even interval: what shows two a column need not shift each time."""
        oldest_is_odd = self._slot is not None and (self._slot + 1 - len(self._values)) % 2
        return tuple(self._values)[1:] if oldest_is_odd else tuple(self._values)
