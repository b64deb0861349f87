"""Why an item is where it is: a sentence for people, a trace for engineers."""

from homefeed.explain.reasons import SEEN_BEFORE, reasons_for
from homefeed.explain.trace import FeatureTrace, FilterTrace, RerankerTrace, RetrieverTrace, Trace

__all__ = ["SEEN_BEFORE", "FeatureTrace", "FilterTrace", "RerankerTrace", "RetrieverTrace", "Trace", "reasons_for"]
