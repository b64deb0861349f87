"""Why an item is where it is: a sentence for people, a trace for engineers."""

from homefeed.explain.reasons import reasons_for
from homefeed.explain.trace import ArrangerTrace, FeatureTrace, RetrieverTrace, ScreenTrace, Trace

__all__ = ["ArrangerTrace", "FeatureTrace", "RetrieverTrace", "ScreenTrace", "Trace", "reasons_for"]
