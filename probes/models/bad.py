"""A model file that tells nothing."""


class BadModelFile(Exception):
    """A file that is no model, or a broken one. Its text is one line.

    Attributes:
        path: of the file.
        why: what is wrong with it.
    """

    def __init__(self, path: object, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why
