"""Which items of the catalogue say the same: near-duplicate texts, kept as items come, change and go.

Two texts are near-duplicates when the Jaccard similarity of their sets of word shingles, |A & B| / |A | B|, is
at least the limit (Broder 1997, *On the resemblance and containment of documents*). MinHash with banding
proposes the pairs to compare (Leskovec, Rajaraman, Ullman, *Mining of Massive Datasets*, chapter 3), and each is
then compared exactly, so a proposal can be missed but no pair is joined wrongly. A group is a connected component
of such pairs: it depends on the texts alone, never on the order in which they came. Not every two of a group are
near-duplicates: a chain of texts leads from one to another that has nothing in common with it. Texts of different
partitions are none, whatever they say.

Shingles of two words tell adverts filled in from one form apart better than single words do, barely mind
sentences changing places, and unrelated texts share next to none of them. At the limit of 0.6, one word changed
in twelve leaves the texts joined (0.7) and two part them (0.5); in twenty words two may change (0.67), in forty
four (0.68).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rensa import RMinHash, RMinHashLSH

from homefeed.types import Positions
from homefeed.words import runs_of

_SEED: Final = 1
_MISSES: Final = 0.04
_MOST_BANDS: Final = 16
_MOST_ROWS: Final = 8
_BATCH: Final = 1024
_MOST_KNOWN_WORDS: Final = 1 << 16


class NearDuplicates:
    """Near-duplicate texts by catalogue position.

    `similarity` is the Jaccard similarity of sets of `shingle` successive words from which texts are
    near-duplicates. Words are runs of letters and digits, whatever their case and accents, and single letters of
    scripts without spaces. A text of fewer than `min_words`
    words is a near-duplicate of equal ones only, word for word; an empty one of none.

    One thread may write while others read `groups`; `of` is for the thread that writes. Copies cost nothing to
    speak of; among texts that are merely alike, adding one costs about a microsecond for each it is compared with.

    Raises:
        ValueError: the similarity is not in (0, 1], or the shingle or the least words not positive.
    """

    def __init__(self, similarity: float = 0.6, shingle: int = 2, min_words: int = 6) -> None:
        if not 0 < similarity <= 1:
            raise ValueError(f"similarity {similarity}: expected above 0, up to 1")
        if shingle < 1 or min_words < 1:
            raise ValueError(f"shingle {shingle}, least words {min_words}: expected at least 1")
        self.similarity = similarity
        self.bands, self.rows = _bands_and_rows(similarity)
        self._shingle = shingle
        self._least_words = max(min_words, shingle)
        self._index: Any = RMinHashLSH(similarity, self.bands * self.rows, self.bands)
        self._by_shingles: dict[bytes, _Text] = {}
        self._texts: list[_Text | None] = []
        self._groups: Positions = np.arange(1024, dtype=np.int32)
        self._size = 0

    @property
    def groups(self) -> Positions:
        """(n,) for each position the earliest position of its group; its own where it stands alone.

        Only within a group are there near-duplicates. Read-only, and shares memory: later changes show.
        """
        size = self._size  # before the array, which is lengthened first
        view = self._groups[:size]
        view.flags.writeable = False
        return view

    def of(self, position: int) -> Positions:
        """(m,) the positions of a text's near-duplicates, itself included, in rising order."""
        text = self._texts[position] if position < self._size else None
        if text is None:
            return np.array([position], np.int32)
        found = text.group.near.get(text)
        if found is None:
            near = [text, *self._near(text, [other for other in text.group if other is not text])]
            found = np.array(sorted(chain.from_iterable(each.positions for each in near)), np.int32)
            text.group.near[text] = found
        return found

    def chance(self, similarity: float) -> float:
        """The probability that a pair of that similarity is proposed: 1 - (1 - s^rows)^bands.

        Source: Leskovec, Rajaraman, Ullman, section 3.4.2. At the limit of 0.6 (14 bands of 3 rows): 0.967 at
        0.6, 0.997 at 0.7, 0.9999 at 0.8. rensa's slots are anticorrelated and find slightly more.
        """
        return 1 - _missed(similarity, self.bands, self.rows)

    def set(self, position: int, text: str, partition: str = "") -> None:
        """Take over the new or changed text of an item."""
        self.set_many([position], [text], [partition])

    def set_many(
        self, positions: Sequence[int], texts: Sequence[str], partitions: Sequence[str] | None = None
    ) -> None:
        """Take over many texts: the same as one after the other. Without partitions all are of one.

        Raises:
            IndexError: a negative position.
            ValueError: not as many texts, or partitions, as positions.
        """
        partitions = [""] * len(texts) if partitions is None else partitions
        if not len(positions) == len(texts) == len(partitions):
            raise ValueError(f"{len(positions)} positions, {len(texts)} texts, {len(partitions)} partitions")
        if len(positions) and min(positions) < 0:
            raise IndexError(f"position {min(positions)}")
        hashes = _WordHashes()
        for start in range(0, len(texts), _BATCH):
            stop = start + _BATCH
            batch = self._shingles(texts[start:stop], partitions[start:stop], hashes)
            for position, shingles in zip(positions[start : start + _BATCH], batch, strict=True):
                self._place(int(position), shingles)
            if len(hashes) > _MOST_KNOWN_WORDS:
                hashes.clear()

    def remove(self, position: int) -> None:
        """Take an item out; one that is not here stays so."""
        if 0 <= position < self._size:
            self._leave(position)

    def _place(self, position: int, shingles: bytes) -> None:
        self._lengthen(position + 1)
        present = self._texts[position]
        if present is not None and present.shingles == shingles:
            return
        self._leave(position)
        if not shingles:
            return
        known = self._by_shingles.get(shingles)
        if known is None:
            self._texts[position] = self._by_shingles[shingles] = _Text(shingles, position)
            self._enter(position)
        else:
            self._texts[position] = known
            known.positions.append(position)
            known.group.near.clear()
            self._groups[position] = self._groups[known.positions[0]]
            self._label(known.group, min(position, int(self._groups[position])))

    def _enter(self, position: int) -> None:
        """Put a new text into the index and join the groups of those near it."""
        text = self._standing(position)
        minhash = self._minhash(text.shingles)
        proposed = [self._standing(other) for other in self._index.query(minhash)]
        count = 1  # few at first: the first one near brings all its group
        while proposed:
            for near in self._near(text, proposed[:count]):
                if near.group is not text.group:
                    self._join(text.group, near.group)
            proposed = [other for other in proposed[count:] if other.group is not text.group]
            count *= 8
        self._index.insert(position, minhash)

    def _join(self, one: _Group, two: _Group) -> None:
        label = min(int(self._groups[group[0].positions[0]]) for group in (one, two))
        for group in (one, two):
            self._label(group, label)
        smaller, larger = sorted((one, two), key=len)
        larger.extend(smaller)
        larger.near.clear()
        for text in smaller:
            text.group = larger

    def _leave(self, position: int) -> None:
        text = self._texts[position]
        if text is None:
            return
        self._texts[position] = None
        text.group.near.clear()
        key = text.positions[0]
        text.positions.remove(position)
        if key == position:
            self._index.remove(key)
        self._groups[position] = position
        if text.positions:
            if key == position:
                self._index.insert(text.positions[0], self._minhash(text.shingles))
            self._label(text.group)
            return
        del self._by_shingles[text.shingles]
        for part in map(_Group, self._components([other for other in text.group if other is not text])):
            for member in part:
                member.group = part
            self._label(part)

    def _components(self, texts: list[_Text]) -> Iterator[list[_Text]]:
        """What is left of a group: the connected components of some of its texts."""
        apart = {text.positions[0]: text for text in texts}
        while apart:
            reached = [apart.popitem()[1]]
            for text in reached:  # lengthened as it is walked
                if not apart:
                    break
                proposed = self._index.query(self._minhash(text.shingles))
                near = self._near(text, [apart[position] for position in proposed if position in apart])
                reached += [apart.pop(other.positions[0]) for other in near]
            yield reached

    def _near(self, text: _Text, others: list[_Text]) -> list[_Text]:
        """Those of other texts whose similarity to this one is at the limit or above, by exact comparison."""
        if not others:
            return []
        mine = np.frombuffer(text.shingles, np.uint64)
        theirs = np.frombuffer(b"".join([other.shingles for other in others]), np.uint64)
        ends = np.cumsum([len(other.shingles) // 8 for other in others])
        sizes = np.diff(ends, prepend=0)
        found = mine.take(mine.searchsorted(theirs), mode="clip") == theirs
        both = np.add.reduceat(found, ends - sizes, dtype=np.intp)
        alike = both / (len(mine) + sizes - both) >= self.similarity
        return [others[index] for index in np.flatnonzero(alike)]

    def _label(self, group: list[_Text], label: int | None = None) -> None:
        """Give a group, all of one value so far, another: its earliest position unless told."""
        if label is None:
            label = min(min(text.positions) for text in group)
        if self._groups[group[0].positions[0]] != label:
            self._groups[[position for text in group for position in text.positions]] = label

    def _standing(self, position: int) -> _Text:
        text = self._texts[position]
        assert text is not None, "the index holds standing texts only"  # noqa: S101
        return text

    def _lengthen(self, size: int) -> None:
        if size > len(self._groups):
            longer = np.arange(max(size, 2 * len(self._groups)), dtype=np.int32)
            longer[: self._size] = self._groups[: self._size]
            self._groups = longer
        self._texts.extend([None] * (size - len(self._texts)))
        self._size = max(self._size, size)

    def _minhash(self, shingles: bytes) -> Any:
        minhash = RMinHash(self.bands * self.rows, _SEED)
        minhash.update(np.frombuffer(shingles, "V8").tolist())  # each hash is a token of eight bytes
        return minhash

    def _shingles(self, texts: Sequence[str], partitions: Sequence[str], hashes: _WordHashes) -> list[bytes]:
        """Each text's set of shingles: their 64-bit hashes, sorted; none for an empty text.

        Those of different partitions have nothing in common.
        """
        salt = {name: np.uint64(_hash(name) if name else 0) for name in set(partitions)}
        words = [runs_of(text) for text in texts]
        ends = np.cumsum([len(one) for one in words]).tolist()
        flat = np.fromiter(map(hashes.__getitem__, chain.from_iterable(words)), np.uint64, ends[-1])
        rolled = flat
        for step in range(1, self._shingle):
            rolled = _mix(rolled[:-1] * np.uint64(0x9E3779B97F4A7C15) + flat[step:])
        found = []
        for text, partition, one, end in zip(texts, partitions, words, ends, strict=True):
            if len(one) < self._least_words:
                whole = " ".join(one) or text.strip()
                shingles = np.array([_hash(" " + whole)] if whole else [], np.uint64)
            else:
                shingles = rolled[end - len(one) : end - self._shingle + 1]
            found.append(_distinct(shingles ^ salt[partition]))
        return found


class _Text:
    """A distinct set of shingles and the positions that have it; the first of them is its key in the index.

    `group` is one object shared by all texts of the group.
    """

    __slots__ = ("group", "positions", "shingles")

    def __init__(self, shingles: bytes, position: int) -> None:
        self.shingles = shingles
        self.positions = [position]
        self.group = _Group([self])


class _Group(list["_Text"]):
    """The texts of a group, and where the near-duplicates are of those that were asked about."""

    __slots__ = ("near",)

    def __init__(self, texts: Iterable[_Text]) -> None:
        super().__init__(texts)
        self.near: dict[_Text, Positions] = {}


class _WordHashes(dict[str, int]):
    def __missing__(self, word: str) -> int:
        self[word] = number = _hash(word)
        return number


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "little")


def _mix(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finalizer of splitmix64 (Steele, Lea, Flood 2014), so that sums of words do not collide."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        numbers = (numbers ^ (numbers >> np.uint64(shift))) * np.uint64(factor)
    return numbers ^ (numbers >> np.uint64(31))


def _distinct(numbers: npt.NDArray[np.uint64]) -> bytes:
    ordered = np.sort(numbers)
    new = np.ones(len(ordered), np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    return ordered[new].tobytes()


def _missed(similarity: float, bands: int, rows: int) -> float:
    return float((1 - similarity**rows) ** bands)


def _bands_and_rows(similarity: float) -> tuple[int, int]:
    """The most rows, hence the fewest vain proposals, that find a pair at the limit with 16 bands at most."""
    for rows in range(_MOST_ROWS, 0, -1):
        missed = _missed(similarity, 1, rows)
        bands = math.ceil(math.log(_MISSES) / math.log(missed)) if missed else 1
        if bands <= _MOST_BANDS or rows == 1:
            return bands, rows
    raise AssertionError("one row always serves")
