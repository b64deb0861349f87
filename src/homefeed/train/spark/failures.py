"""What Spark says of a failure in a thousand lines, in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from homefeed.errors import HomefeedError


@contextmanager
def plainly(source: str) -> Iterator[None]:
    """Say in a sentence that Spark failed on an input.

    Raises:
        HomefeedError: it did.
    """
    try:
        yield
    except (PySparkException, Py4JError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        cause = next(
            (line for line in reversed(lines) if line.startswith("Caused by:")), lines[0] if lines else ""
        )
        raise HomefeedError(
            f"Spark failed on {source}, and what was not published yet is as before: {cause[:300]}"
        ) from error
