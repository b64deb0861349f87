"""Text models of this machine as a source of word vectors, for training only: serving needs none of this."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import orjson

from homefeed.errors import HomefeedError
from homefeed.retrieve.quiet import quiet
from homefeed.types import Floats

Encode: TypeAlias = Callable[[list[str]], Floats]
"""From n texts to their vectors (n, dimensions), n above 0."""

_MODEL2VEC: Final = ("model.safetensors", "tokenizer.json", "config.json")
WORDLLAMA: Final = "wordllama"
"""The text model that comes as a package: 32,000 pieces of words, 256 numbers each."""
NO_TEXT_MODEL: Final = "none"
"""The catalogue's own words, where a text model is installed."""

_WEIGHTS: Final = Path("weights", "l2_supercat_256.safetensors")
_TOKENIZER: Final = Path("tokenizers", "l2_supercat_tokenizer_config.json")

_LARGEST_HEADER: Final = 100_000_000
"""Bytes: what safetensors itself allows a header to take."""


def default_text_model() -> str | None:
    """The text model that is installed as a package, if any."""
    return WORDLLAMA if _wordllama() is not None and importlib.util.find_spec("model2vec") is not None else None


def load_text_model(name: str) -> Encode:
    """The model that comes as a package, or that a folder holds: of model2vec, or else of sentence-transformers.

    Nothing is downloaded.

    model2vec goes first, for sentence-transformers would read its folders too, but needs torch for it.

    Raises:
        HomefeedError: no such folder, no model in it, its library is not installed, or it does not load. What is
            returned raises it where the model's answer is no table of finite numbers.
    """
    path = Path(name)
    load: Callable[[Path], Callable[[list[str]], Any]]
    if name == WORDLLAMA and not path.is_dir():
        library, extra, load, path = WORDLLAMA, "text", _load_wordllama, _wordllama() or path
    elif not path.is_dir():
        raise HomefeedError(
            f'text_model: no folder "{path}"; Homefeed downloads no models: put one on this machine '
            f"and name its folder, or name \"{WORDLLAMA}\", which comes with pip install 'homefeed[text]'"
        )
    elif _is_model2vec(path):
        library, extra, load = "model2vec", "text", _load_model2vec
    elif (path / "modules.json").is_file():
        library, extra, load = "sentence-transformers", "sentence-transformers", _load_sentence_transformers
    else:
        raise HomefeedError(
            f"text_model: {path} holds no text model; expected modules.json, as sentence-transformers saves it, "
            f"or {', '.join(_MODEL2VEC)}, as model2vec does"
        )
    try:
        with quiet():
            encode = load(path)
    except ImportError as error:
        raise HomefeedError(
            f"text_model: {path} is a model of {library}, which cannot be imported ({error}); "
            f"install it: pip install 'homefeed[{extra}]'"
        ) from error
    except Exception as error:  # the libraries raise anything over a damaged folder
        raise HomefeedError(
            f"text_model: {path} does not load as a model of {library}: {error}; "
            "save or copy it again, whole, with a version of the library like the one here"
        ) from error
    return _checked(path, encode)


def _is_model2vec(path: Path) -> bool:
    # Its config names the type only where the model was distilled; its table is always called "embeddings".
    return all((path / name).is_file() for name in _MODEL2VEC) and "embeddings" in _tensors(path / _MODEL2VEC[0])


def _tensors(path: Path) -> dict[str, Any]:
    """The header of a safetensors file: its length in 8 bytes, then JSON. Empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = orjson.loads(file.read(min(length, _LARGEST_HEADER)))
    except (OSError, orjson.JSONDecodeError):
        return {}
    return header if isinstance(header, dict) else {}


# The libraries are imported by name: optional, and too large for a type checker to follow into torch.


def _load_model2vec(path: Path) -> Callable[[list[str]], Any]:
    model = importlib.import_module("model2vec").StaticModel.from_pretrained(path)
    # Threads of its own would set an environment variable of the whole process.
    return lambda texts: model.encode(texts, use_multiprocessing=False)


def _wordllama() -> Path | None:
    """The folder of the package. It is not imported: its vectors and its tokenizer are all that is needed."""
    spec = importlib.util.find_spec(WORDLLAMA)
    folders = [] if spec is None else map(Path, spec.submodule_search_locations or ())
    return next((folder for folder in folders if (folder / _WEIGHTS).is_file()), None)


@lru_cache(maxsize=1)
def _load_wordllama(folder: Path) -> Callable[[list[str]], Any]:
    """Loaded once: it is of a package, which stays as it is, and several models of a training use it."""
    if not folder.is_dir():
        raise ImportError(f"no module named {WORDLLAMA!r}")
    tokenizer = importlib.import_module("tokenizers").Tokenizer.from_file(str(folder / _TOKENIZER))
    vectors = importlib.import_module("safetensors.numpy").load_file(folder / _WEIGHTS)["embedding.weight"]
    model = importlib.import_module("model2vec").StaticModel(vectors.astype(np.float32), tokenizer)
    return lambda texts: model.encode(texts, use_multiprocessing=False)


def _load_sentence_transformers(path: Path) -> Callable[[list[str]], Any]:
    library = importlib.import_module("sentence_transformers")
    model = library.SentenceTransformer(str(path), local_files_only=True)
    return lambda texts: model.encode(texts, show_progress_bar=False, convert_to_numpy=True)


def _checked(path: Path, encode: Callable[[list[str]], Any]) -> Encode:
    def checked(texts: list[str]) -> Floats:
        with quiet():
            vectors = np.asarray(encode(texts), np.float32)
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise HomefeedError(
                f"text_model: {path} does not give every text a vector of finite numbers; "
                "expected a model of sentence embeddings"
            )
        return vectors

    return checked
