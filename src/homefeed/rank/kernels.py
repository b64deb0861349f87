"""The loops of ranking, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from homefeed.catalog.ragged import row_at
from homefeed.kernels import F32, F64, I32, I64, NOTHING, kernel, reads, writes
from homefeed.types import Codes, Floats, Positions, Scores, Times

Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@kernel(writes(F32), reads(F32, 2), reads(F32))
def weighted_sums(features: Floats, weights: Floats) -> Scores:
    """(n,) sums of features (n, features) times their weights, in 32 bits and in numpy's order of summing."""
    count, width = features.shape
    sums, products = np.empty(count, np.float32), np.empty(width, np.float32)
    whole = width - width % 8
    for row in range(count):
        for column in range(width):
            products[column] = features[row, column] * weights[column]
        total, start = np.float32(0), 0
        if 8 <= width <= 128:
            # Eight running sums, as numpy's pairwise summation has them: other orders round otherwise.
            for column in range(8, whole):
                products[column % 8] += products[column]
            left = (products[0] + products[1]) + (products[2] + products[3])
            right = (products[4] + products[5]) + (products[6] + products[7])
            total, start = left + right, whole
        for column in range(start, width):
            total += products[column]
        sums[row] = total
    return sums


@kernel(writes(F64), reads(F32, 2), reads(I64), reads(I64), reads(F64), reads(F64), F64)
def blended_ranks(
    features: Floats, starts: Rows, columns: Rows, shares: Doubles, weights: Doubles, half_rank: float
) -> Doubles:
    """(n,) sums over signals of weight x rank: 1 for the highest, 0 for those not above 0.

    One that m are better than has 1 / (1 + m / half_rank), or with a half_rank of 0 it has 1 - m / those above 0.
    Signal s is the sum of share x feature over its entries from `starts[s]` to `starts[s + 1]`, in their order.
    """
    count = len(features)
    scores, strengths = np.zeros(count), np.empty(count)
    for signal in range(len(weights)):
        positive = 0
        for row in range(count):
            total = 0.0
            for entry in range(starts[signal], starts[signal + 1]):
                total += shares[entry] * np.float64(features[row, columns[entry]])
            strengths[row] = total
            positive += total > 0
        rising = np.sort(strengths)[count - positive :]
        for row in range(count):
            if strengths[row] > 0:
                better = positive - np.searchsorted(rising, strengths[row], side="right")
                rank = 1 / (1 + better / half_rank) if half_rank > 0 else 1 - better / positive
                scores[row] += weights[signal] * rank
    return scores


@kernel(writes(F32, 2), reads(F32, 2), reads(F32), reads(I64), reads(I64), reads(F64), reads(F64))
def blended_shares(
    features: Floats, scores: Scores, starts: Rows, columns: Rows, shares: Doubles, weights: Doubles
) -> Floats:
    """(n, features) each score split in proportion to weight x share x feature, over the signals above 0."""
    count, width = features.shape
    split = np.zeros((count, width), np.float32)
    for row in range(count):
        spoken, total = np.zeros(width), 0.0
        for signal in range(len(weights)):
            strength = 0.0
            for entry in range(starts[signal], starts[signal + 1]):
                strength += shares[entry] * np.float64(features[row, columns[entry]])
            if strength > 0:
                for entry in range(starts[signal], starts[signal + 1]):
                    part = shares[entry] * np.float64(features[row, columns[entry]])
                    spoken[columns[entry]] += weights[signal] * part
        for column in range(width):
            total += spoken[column]
        if total > 0:
            for column in range(width):
                split[row, column] = spoken[column] * (scores[row] / total)
    return split


@kernel(writes(F64), reads(I32), reads(I64), reads(I32), reads(F32), I64)
def tag_profile(codes: Codes, places: Rows, items: Positions, weights: Floats, distinct: int) -> Doubles:
    """(distinct,) the weight of each tag: the sum of the weights (m,) of the items (m,) by their rows of codes."""
    profile = np.zeros(distinct, np.float64)
    for row in range(len(items)):
        for tag in row_at(codes, places[items[row]]):
            if tag >= 0:
                profile[tag] += np.float64(weights[row])
    return profile


@kernel(writes(F32, 2), reads(F64), reads(I32), reads(I64), reads(I32))
def tag_fit(profile: Doubles, codes: Codes, places: Rows, positions: Positions) -> Floats:
    """(n, 1) x / (1 + |x|): x is the weight of an item's tags over the root of their number."""
    fits = np.zeros((len(positions), 1), np.float32)
    for row in range(len(positions)):
        total, count = 0.0, 0
        for tag in row_at(codes, places[positions[row]]):
            if tag >= 0:
                total += profile[tag]
                count += 1
        fit = total / np.sqrt(max(count, 1))
        fits[row, 0] = fit / (1 + abs(fit))
    return fits


@kernel(NOTHING, reads(I32), reads(I32), reads(F32), reads(I64), I64, F64, writes(F32, 2), I64)
def meetings(
    met: Codes,
    wanted: Codes,
    strengths: Floats,
    times: Times,
    now: int,
    half_life: float,
    features: Floats,
    column: int,
) -> None:
    """Write what events (m,) have of each of the `wanted` codes (n,) to two columns of features (n, features).

    The first is ln(1 + events), the second 2^(-time since the latest / half-life), in microseconds. Events of a
    strength below 0 do not count; codes below 0 are none.
    """
    order = np.argsort(met, kind="mergesort")
    keys, counts, latest = np.empty(len(met), np.int32), np.zeros(len(met)), np.empty(len(met))
    kept = 0
    for event in order:
        if met[event] >= 0 and strengths[event] >= 0:
            time = min(float(times[event]), float(now))
            if kept == 0 or keys[kept - 1] != met[event]:
                keys[kept], latest[kept] = met[event], time
                kept += 1
            counts[kept - 1] += 1
            latest[kept - 1] = max(latest[kept - 1], time)
    for row in range(len(wanted)):
        place = np.searchsorted(keys[:kept], wanted[row])
        if place < kept and keys[place] == wanted[row]:
            features[row, column] = np.log1p(counts[place])
            features[row, column + 1] = np.exp2((latest[place] - now) / half_life)


@kernel(writes(I32), reads(I32), reads(F32), I64)
def last_liked(items: Positions, strengths: Floats, count: int) -> Positions:
    """(m,) the last items, `count` at most, that the user liked, the latest first, by events oldest first.

    The latest event of an item decides that is not of strength 0.
    """
    decided, found = np.empty(len(items), np.int32), np.empty(min(count, len(items)), np.int32)
    seen = kept = 0
    for event in range(len(items) - 1, -1, -1):
        if kept == len(found):
            break
        if strengths[event] != 0 and items[event] not in decided[:seen]:
            decided[seen] = items[event]
            seen += 1
            if strengths[event] > 0:
                found[kept] = items[event]
                kept += 1
    return found[:kept]


@kernel(writes(F64), reads(F64), reads(I32), reads(I64), reads(I32))
def tag_cosine(profile: Doubles, codes: Codes, places: Rows, positions: Positions) -> Doubles:
    """(n,) the cosine of the tags of items and a profile of length 1, from -1 to 1; 0 of an item without tags."""
    cosines = np.zeros(len(positions), np.float64)
    for row in range(len(positions)):
        total, count = 0.0, 0
        for tag in row_at(codes, places[positions[row]]):
            if tag >= 0:
                total += profile[tag]
                count += 1
        cosines[row] = total / np.sqrt(max(count, 1))
    return cosines
