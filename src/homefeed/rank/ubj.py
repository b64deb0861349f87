"""Whether a file in UBJ, Universal Binary JSON, is whole: XGBoost reads past the end of one that is cut."""

from __future__ import annotations

from typing import Final

_SIZES: Final = {
    ord(kind): size for kind, size in zip("ZTFNiUCIldLD", (0, 0, 0, 0, 1, 1, 1, 2, 4, 4, 8, 8), strict=True)
}
"""Bytes of the values of each kind."""
_WHOLE: Final = frozenset(map(ord, "iUIlL"))
_UNSIGNED: Final = ord("U")
_STRING, _ARRAY, _OBJECT = map(ord, "S[{")
_TYPE, _COUNT, _ARRAY_END, _OBJECT_END = map(ord, "$#]}")
_DEEPEST: Final = 64


def is_whole(data: bytes) -> bool:
    """Whether the bytes are one value of UBJ, to the last of them; what it says is not looked at.

    Draft 12 of the specification, ubjson.org, as XGBoost writes it.
    """
    try:
        return _after(data, 0, 0) == len(data)
    except (IndexError, ValueError):
        return False


def _after(data: bytes, at: int, depth: int) -> int:
    """Where the value ends that begins there.

    Raises:
        IndexError: the data end before.
        ValueError: it is no value, or one within too many others.
    """
    kind, at = data[at], at + 1
    if kind in _SIZES:
        return at + _SIZES[kind]
    if kind == _STRING:
        return _after_text(data, at)
    if kind not in (_ARRAY, _OBJECT) or depth == _DEEPEST:
        raise ValueError(kind)
    return _after_array(data, at, depth) if kind == _ARRAY else _after_object(data, at, depth)


def _after_array(data: bytes, at: int, depth: int) -> int:
    if data[at] == _TYPE:
        if data[at + 2] != _COUNT:
            raise ValueError("a type without a count")
        count, end = _number(data, at + 3)
        return end + count * _SIZES.get(data[at + 1], len(data))
    if data[at] == _COUNT:
        count, at = _number(data, at + 1)
        for _ in range(count):
            at = _after(data, at, depth + 1)
        return at
    while data[at] != _ARRAY_END:
        at = _after(data, at, depth + 1)
    return at + 1


def _after_object(data: bytes, at: int, depth: int) -> int:
    while data[at] != _OBJECT_END:
        at = _after(data, _after_text(data, at), depth + 1)
    return at + 1


def _after_text(data: bytes, at: int) -> int:
    length, at = _number(data, at)
    return at + length


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A length or a count, and where it ends."""
    kind, at = data[at], at + 1
    if kind not in _WHOLE:
        raise ValueError("no whole number")
    end = at + _SIZES[kind]
    number = int.from_bytes(data[at:end], "big", signed=kind != _UNSIGNED)
    if number < 0 or end > len(data):
        raise ValueError("no length")
    return number, end
