"""From a text to what is compared of it: folding, words and numbers, in any script."""

from homefeed.words.folding import caseless, folded, plain
from homefeed.words.tokens import Token, runs_of, tokens_of, words_of

__all__ = ["Token", "caseless", "folded", "plain", "runs_of", "tokens_of", "words_of"]
