"""Why an item is where it is: a sentence for people, a trace for engineers."""

from homefeed.explain.reasons import reasons_for
from homefeed.explain.trace import FeatureTrace, FilterTrace, RerankerTrace, RetrieverTrace, Trace

__all__ = ["FeatureTrace", "FilterTrace", "RerankerTrace", "RetrieverTrace", "Trace", "reasons_for"]
