"""NVIDIA's library, simulated."""

from pathlib import Path


class SimulatedNvml:
    """The library that the binding calls, and the state that it answers from."""

    def __init__(self, library: Path, state: Path) -> None:
        self.library = library
        self.state = state

    def write(self, text: str) -> None:
        """Makes this the state from the next call on."""
        draft = self.state.with_suffix(".new")
        draft.write_text(text)
        draft.replace(self.state)
