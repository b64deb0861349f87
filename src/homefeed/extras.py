"""Libraries that not every installation has: of which extra they come, and what to say where they are missing."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from homefeed.errors import NotInstalledError


@dataclass(frozen=True, slots=True)
class Extra:
    """A `module`, and the `name` of the extra of Homefeed that brings it."""

    name: str
    module: str

    @property
    def install(self) -> str:
        """The command that installs it."""
        return f"pip install 'homefeed[{self.name}]'"

    @property
    def is_installed(self) -> bool:
        """Whether the module is there; it is not imported."""
        return find_spec(self.module) is not None

    def missing(self, error: ImportError) -> NotInstalledError:
        """What to raise where it cannot be imported."""
        return NotInstalledError(
            f"{self.name}: training needs {self.module}, which cannot be imported ({error}); "
            f"install it: {self.install}"
        )
