"""From a text to what is compared of it: folding, words and numbers, in any script."""

from homefeed.words.base_titles import base_title
from homefeed.words.folding import caseless, folded, plain
from homefeed.words.tokens import Token, runs_of, tokens_of, words_of

__all__ = ["Token", "base_title", "caseless", "folded", "plain", "runs_of", "tokens_of", "words_of"]
