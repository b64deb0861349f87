"""A clock for tests."""


class Ticking:
    """A clock of which no two readings are the same."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        self.now += 1
        return self.now
