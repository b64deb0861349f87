"""Compiled loops for what would take numpy many calls: registered where they stand, compiled before serving.

A kernel declares its signature, so that it is compiled once, whatever arrays it is called with, and kept on disk
where there is a place for it: 20 ms to load instead of seconds to compile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import update_wrapper
from hashlib import sha256
from pathlib import Path
from types import CodeType
from typing import Any, Final, TypeVar, cast

from numba import njit, types

F = TypeVar("F", bound=Callable[..., Any])

BOOL: Final = types.boolean
I8, I16, I32, I64, U64 = types.int8, types.int16, types.int32, types.int64, types.uint64
F32, F64 = types.float32, types.float64
NOTHING: Final = types.none

_KERNELS: Final[list[_Kernel]] = []


def reads(dtype: Any, dimensions: int = 1) -> Any:
    """The type of an array in C order that a kernel reads: one that can be written will do, too."""
    return types.Array(dtype, dimensions, "C", readonly=True)


def writes(dtype: Any, dimensions: int = 1) -> Any:
    """The type of an array in C order that a kernel writes or returns."""
    return types.Array(dtype, dimensions, "C")


def several(*results: Any) -> Any:
    """The type of a tuple that a kernel returns."""
    kind: Any = types.Tuple
    return kind(results)


def compiled(function: F, **options: Any) -> F:
    """A function that kernels may call, or one compiled for whatever it is called with, when it is."""
    try:
        made = njit(cache=True, **options)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        made = njit(**options)(function)
    # Numba compiles anew where the file of a function changes; what it uses of other files counts here, too.
    kept = getattr(getattr(made, "_cache", None), "_cache_file", None)
    if kept is not None:
        kept._source_stamp = (kept._source_stamp, _fingerprint(function))
    return cast(F, made)


def _fingerprint(function: Callable[..., Any]) -> str:
    """A hash of the compiled functions and the numbers that a function uses, and of what those use."""
    digest, waiting, seen = sha256(), [function], {function}
    while waiting:
        using = waiting.pop()
        digest.update(_text_of(using.__code__).encode())
        for name in using.__code__.co_names:
            used = using.__globals__.get(name)
            inner = getattr(used, "py_func", None)
            if inner is not None and inner not in seen:
                seen.add(inner)
                waiting.append(inner)
            elif isinstance(used, int | float):
                digest.update(f"{name}={used!r}".encode())
    return digest.hexdigest()


def _text_of(code: CodeType) -> str:
    """The instructions and constants of a function, those within it included; equal in every process."""
    inner = [_text_of(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return repr((code.co_code, code.co_names, inner))


def kernel(result: Any, *arguments: Any, **options: Any) -> Callable[[F], F]:
    """Make a function a kernel that takes such arguments, by their types, and gives such a result.

    Floating-point sums are made in the order in which they are written, unless `fastmath` is among the options.
    """

    def decorate(function: F) -> F:
        made = _Kernel(function, result(*arguments), options)
        _KERNELS.append(made)
        return cast(F, made)

    return decorate


def warm_up() -> None:
    """Compile every kernel that was imported: afterwards no call waits for a compiler."""
    for each in tuple(_KERNELS):
        each.compile()


def cache_folder() -> Path | None:
    """The folder in which compiled kernels are kept; None where neither the package's nor the user's can be."""
    made: Any = compiled(_probe)
    folder = getattr(getattr(made, "_cache", None), "cache_path", None)
    return None if folder is None else Path(folder)


def _probe() -> int:
    return 0


class _Kernel:
    """Compiled when first called, for its signature and no other."""

    def __init__(self, function: Callable[..., Any], signature: Any, options: Mapping[str, Any]) -> None:
        update_wrapper(self, function)
        self._function, self._signature, self._options = function, signature, options
        self._call: Callable[..., Any] = self._compile_and_call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def compile(self) -> None:
        """Compile it, or load it from disk."""
        if self._call == self._compile_and_call:
            dispatcher: Any = compiled(self._function, **self._options)
            dispatcher.compile(self._signature)
            dispatcher.disable_compile()
            self._call = dispatcher

    def _compile_and_call(self, *arguments: Any) -> Any:
        self.compile()
        return self._call(*arguments)
