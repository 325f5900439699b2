"""Finding the row of a table by the name that a person or a driver gives it: never by a part of it, never by likeness.

Four looks, the first that finds something wins: the name as it is written; without case, blanks, punctuation and the
words that carry nothing; by its main words where the details ("10GB", "PCIe") leave one row only; by its main words
where all rows left are the same in every fact that counts. Anything else is refused with the nearest names.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from difflib import get_close_matches

LONGEST = 160
"""Characters of the longest name that is looked at; more is no name."""
_SHOWN = 60
_NEAREST = 4
_SEPARATORS = re.compile(r"[\W_]+")


class UnknownName(ValueError):
    """No row, or more than one, has this name; the text is one line that names the nearest.

    Attributes:
        brief: the line without the nearest names, which take a while to look up.
    """

    def __init__(self, brief: str, nearest: Callable[[], list[str]] = list) -> None:
        super().__init__(brief)
        self.brief = brief
        self._nearest = nearest

    def __str__(self) -> str:
        near = self._nearest()
        return f"{self.brief}; nearest: {', '.join(near)}" if near else self.brief


def plain(name: str) -> str:
    """Words in lower case, one blank between them, nothing else. Doing it twice changes nothing."""
    return _SEPARATORS.sub(" ", name.casefold()).strip()


class Names:
    """All names of one table, made ready for looking up."""

    def __init__(
        self,
        names: Mapping[str, Iterable[str]],
        what: str,
        *,
        normalise: Callable[[str], str] = plain,
        detail: re.Pattern[str] | None = None,
        details: Callable[[str], Iterable[str]] = lambda _: (),
        facts: Callable[[str], Hashable] = lambda key: key,
    ) -> None:
        """Takes the key of each row with its further names.

        Args:
            names: the further names of each key; the key itself is one without being listed.
            what: what the rows are, for the error: "hardware", "model".
            normalise: what `plain` does, and what else carries nothing in names of this kind.
            detail: matches a whole normalised word that may be left out, as "10gb".
            details: further such words of a key that its name does not say.
            facts: rows with equal facts may stand for each other.

        Raises:
            ValueError: two rows have the same name.
        """
        self._what = what
        self._normalise = normalise
        self._detail = detail
        self._facts = facts
        self._written: dict[str, str] = {}
        self._plain: dict[str, str] = {}
        self._main: dict[str, dict[str, set[str]]] = {}
        for key, others in names.items():
            for name in (key, *others):
                self._written[name] = key
                normal = normalise(name)
                words, said = self._split(normal)
                whole = normal.replace(" ", "")
                if self._plain.setdefault(whole, key) != key:
                    raise ValueError(f"{self._plain[whole]} and {key} both have the name {name}")
                self._main.setdefault(words, {}).setdefault(key, set(details(key))).update(said)

    def find(self, name: str) -> str:
        """The key of the one row that has this name.

        Raises:
            UnknownName: none has it, or several have it that differ.
        """
        found = self.candidates(name)
        if found and len({self._facts(key) for key in found}) == 1:
            return found[0]
        if found:
            raise UnknownName(f"{self._what} {_quoted(name)} may be {_listed(found)}")
        raise UnknownName(f"unknown {self._what} {_quoted(name)}", lambda: self.nearest(name))

    def candidates(self, name: str) -> tuple[str, ...]:
        """The keys of all rows that the name may mean, in the order of the table; exactly one for a full name."""
        if name in self._written:
            return (self._written[name],)
        if len(name) > LONGEST:
            return ()
        normal = self._normalise(name)
        whole = self._plain.get(normal.replace(" ", ""))
        if whole is not None:
            return (whole,)
        words, said = self._split(normal)
        return tuple(key for key, known in self._main.get(words, {}).items() if said <= known)

    def _split(self, normal: str) -> tuple[str, set[str]]:
        """The main words without blanks, and the details."""
        words = normal.split()
        said = {word for word in words if self._detail and self._detail.fullmatch(word)}
        return "".join(word for word in words if word not in said), said

    def nearest(self, name: str) -> list[str]:
        """Keys to offer: those whose main words are the same, those whose name holds this one, those that are like it.

        It compares the name with every other: some milliseconds in a long table.
        """
        normal = self._normalise(name[:LONGEST])
        whole = normal.replace(" ", "")
        holding = sorted((known for known in self._plain if whole in known), key=len) if len(whole) > 2 else []
        near = get_close_matches(whole, self._plain, _NEAREST, 0.5)
        keys = (*self._main.get(self._split(normal)[0], ()), *(self._plain[known] for known in (*holding, *near)))
        return list(dict.fromkeys(keys))[:_NEAREST]


def find(name: str, table: Names) -> str:
    """The key of the row of `table` with this name; `UnknownName` where there is not exactly one."""
    return table.find(name)


def _quoted(name: str) -> str:
    """The name on one line, cut when it is long."""
    line = "".join(sign if sign.isprintable() else "?" for sign in name)
    return f'"{line}"' if len(line) <= _SHOWN else f'"{line[: _SHOWN - 1]}…"'


def _listed(keys: tuple[str, ...]) -> str:
    return keys[0] if len(keys) == 1 else f"{', '.join(keys[:-1])} or {keys[-1]}"
