"""Text models as the source of word vectors: tiny ones, made here and read from a folder."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.errors import HomefeedError
from homefeed.retrieve.content.embedding import WORDLLAMA, default_text_model, load_text_model
from homefeed.retrieve.content.model import ContentConfig, ContentModel
from homefeed.retrieve.content.trainer import ContentTrainer, from_texts
from homefeed.retrieve.content.words import word_matrix
from homefeed.testing import ModelContract, TrainerContract, World, make_world, toy_world
from homefeed.types import Floats, TrainingData

SYNONYMS = [("bike", "cycling"), ("drama", "theatre"), ("rain", "storm"), ("star", "orbital")]
WORDS = ["[UNK]", *(word for pair in SYNONYMS for word in pair)]


def word_vectors(dimensions: int = 16) -> Floats:
    """Each pair of synonyms a direction of its own, and each word a little one of its own beside it."""
    vectors = np.zeros((len(WORDS), dimensions), np.float32)
    for row in range(1, len(WORDS)):
        vectors[row, (row - 1) // 2] = 1
        vectors[row, 4 + row] = 0.2
    return vectors


def word_tokenizer() -> Any:
    tokenizers = pytest.importorskip("tokenizers")
    words = {word: row for row, word in enumerate(WORDS)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return tokenizer


def save_model2vec(folder: Path, vectors: Floats | None = None) -> Path:
    model2vec = pytest.importorskip("model2vec")
    model = model2vec.StaticModel(word_vectors() if vectors is None else vectors, word_tokenizer())
    model.save_pretrained(folder)
    return folder


def save_static_embedding(folder: Path) -> Path:
    """As sentence-transformers saves it, in a format of its own."""
    library = pytest.importorskip("sentence_transformers")
    modules = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    embedding = modules.StaticEmbedding(word_tokenizer(), embedding_weights=word_vectors())
    library.SentenceTransformer(modules=[embedding], device="cpu").save_pretrained(str(folder))
    return folder


def save_bert(folder: Path) -> Path:
    """Two random layers over word pieces."""
    library = pytest.importorskip("sentence_transformers")
    modules = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    tokenizers, torch = pytest.importorskip("tokenizers"), pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    pieces = [*special.values(), *WORDS[1:], *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
    words = {piece: row for row, piece in enumerate(pieces)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    base = folder / "transformer"
    transformers.BertModel(transformers.BertConfig(vocab_size=len(words), **sizes)).save_pretrained(base)
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(base)
    layers = [modules.Transformer(str(base)), modules.Pooling(16)]
    library.SentenceTransformer(modules=layers, device="cpu").save_pretrained(str(folder / "whole"))
    return folder / "whole"


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model2vec(tmp_path_factory.mktemp("model2vec"))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("reached for the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def titled(titles: Sequence[str]) -> TrainingData:
    numbers = np.arange(len(titles), dtype=np.int32)
    data = make_world((), ()).data
    terms = {"title": [(title,) if title else () for title in titles]}
    return TrainingData(data.interactions, 0, numbers, terms, data.now)


def fit(folder: Path, titles: Sequence[str], **settings: Any) -> ContentModel:
    config = ContentConfig(fields={"title": 1.0}, text_model=str(folder), **settings)
    return ContentTrainer(config).fit(titled(titles))


def cosines(model: ContentModel) -> Floats:
    return model.vectors @ model.vectors.T


class TestTrainerWithTextModel(TrainerContract):
    @pytest.fixture(autouse=True)
    def _folder(self, static: Path) -> None:
        self.folder = static

    def make(self) -> ContentTrainer:
        fields = {"title": 1.0, "genre": 2.0, "content_type": 1.0}
        return ContentTrainer(ContentConfig(fields=fields, text_model=str(self.folder)))


class TestModelOfTextModel(ModelContract):
    @pytest.fixture(autouse=True)
    def _folder(self, static: Path) -> None:
        self.folder = static

    def make(self, world: World) -> ContentModel:
        config = ContentConfig(fields={"title": 1.0, "genre": 2.0}, text_model=str(self.folder))
        return ContentTrainer(config).fit(world.data)


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("save", [save_model2vec, save_static_embedding])
def test_synonyms_are_similar_though_they_share_no_word(save: Any, tmp_path: Path) -> None:
    folder = save(tmp_path)
    titles = ["bike", "cycling", "drama", "theatre", "rain drama", "storm theatre", "star"]
    similar = cosines(fit(folder, titles))
    for one, other in ((0, 1), (2, 3), (4, 5)):
        assert similar[one, other] > 0.9
    assert similar[0, 2:] == pytest.approx(np.zeros(5), abs=1e-5)
    # Of equal weights, both words as often: half of what it says is drama.
    assert similar[4, 2] == pytest.approx(0.5**0.5, abs=0.15)
    words_only = ContentTrainer(ContentConfig(fields={"title": 1.0})).fit(titled(titles))
    assert cosines(words_only)[0, 1] == pytest.approx(0, abs=1e-5)


@pytest.mark.usefixtures("offline")
def test_a_transformer_gives_whole_terms_their_own_vector(tmp_path: Path) -> None:
    folder = save_bert(tmp_path)
    encode = load_text_model(str(folder))
    vectors = encode(["bike rain", "rain bike", "bike", "bike rain"])
    assert vectors.shape == (4, 16)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors[0], vectors[3], atol=1e-6)
    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)  # by position embeddings
    model = fit(folder, ["bike rain", "rain bike", "bike", "bike rain"])
    assert model.vectors.shape == (4, 16)
    # The same words in another order: alike but for the whole title.
    assert cosines(model)[0, 3] == pytest.approx(1)
    assert cosines(model)[0, 1] < 0.9999


def test_an_item_is_the_weighted_sum_of_its_words(static: Path) -> None:
    titles = ["bike", "bike", "rain", "drama"]
    model = fit(static, titles)
    vectors = dict(
        zip(WORDS, word_vectors() / np.linalg.norm(word_vectors(), axis=1).clip(1)[:, None], strict=True)
    )
    common, rare = np.log(5 / 3) + 1, np.log(5 / 2) + 1
    mixed = common * vectors["bike"] + rare * vectors["rain"]
    expected = [mixed @ vectors[title] / np.linalg.norm(mixed) for title in titles]
    new = model.embed([{"title": ("Rain, bike!",)}])[0]
    assert model.vectors @ new == pytest.approx(np.array(expected), abs=1e-5)


def test_new_items_are_embedded_as_the_old_ones_were(static: Path) -> None:
    titles = ["bike storm", "cycling rain", "drama", "nothing known", ""]
    model = fit(static, titles)
    again = model.embed([{"title": (title,)} for title in titles])
    np.testing.assert_allclose(again, model.vectors, atol=1e-6)
    assert np.linalg.norm(model.vectors, axis=1) == pytest.approx([1, 1, 1, 0, 0])


def test_fewer_dimensions_keep_synonyms_together(static: Path) -> None:
    titles = ["bike", "cycling", "drama", "theatre", "bike", "drama"]
    model = fit(static, titles, dimensions=2)
    assert model.vectors.shape == (6, 2)
    assert cosines(model)[0, 1] > 0.9
    assert abs(cosines(model)[0, 2]) < 0.1


def directed(vectors: Floats, items: Sequence[int], dimensions: int = 64) -> Floats:
    """Cosines of items of one word each, whose vectors those are."""
    words = {f"title={row}": row for row in range(len(vectors))}
    matrix = word_matrix([[f"title={row}"] for row in items], words, np.ones(len(words), np.float32))
    components = from_texts(lambda texts: vectors[[int(text) for text in texts]], words, matrix, dimensions)
    reduced = np.asarray(matrix @ components.T)
    reduced /= np.linalg.norm(reduced, axis=1, keepdims=True)
    similar: Floats = reduced @ reduced.T
    return similar


def test_what_all_items_have_in_common_is_left_out() -> None:
    # (2, e) for three directions e: cosines of 0.8. Their sum is the first component; three vectors that add
    # up to nothing remain, at 120 degrees.
    vectors = np.hstack([np.full((3, 1), 2), np.eye(3)]).astype(np.float32)
    for sign in (1, -1):
        similar = directed(sign * vectors, [0, 1, 2] * 40)
        assert similar[0, :3] == pytest.approx(np.array([1, -0.5, -0.5]), abs=1e-4)
    assert directed(vectors, [0, 1, 2])[0] == pytest.approx(np.array([1, 0.8, 0.8]), abs=1e-4)


def test_what_many_items_are_about_is_kept() -> None:
    similar = directed(np.eye(2, 4, dtype=np.float32), [0] * 100 + [1] * 20)
    assert similar[0, [1, 119]] == pytest.approx([1, 0], abs=1e-5)
    assert directed(np.eye(1, 4, dtype=np.float32), [0] * 120).min() == pytest.approx(1)


def test_words_of_several_fields_are_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def encode(texts: list[str]) -> Floats:
        asked.extend(texts)
        return np.ones((len(texts), 3), np.float32)

    monkeypatch.setattr("homefeed.retrieve.content.trainer.load_text_model", lambda path: encode)
    ContentTrainer(ContentConfig(fields={"title": 1.0, "genre": 1.0}, text_model="m")).fit(toy_world().data)
    assert len(asked) == len(set(asked))
    assert {"drama", "harbour", "harbour lights"} <= set(asked)


@pytest.mark.parametrize("titles", [(), ("",), ("", ""), ("bike",), ("zzz", ""), ("bike",) * 3, ("=", "a=b")])
def test_catalogues_of_hardly_any_words(static: Path, titles: tuple[str, ...]) -> None:
    model = fit(static, titles)
    assert np.isfinite(model.vectors).all()
    assert len(model.vectors) == len(titles)
    for one, other in np.ndindex(len(titles), len(titles)):
        alike = float(titles[one] == titles[other] == "bike")
        assert cosines(model)[one, other] == pytest.approx(alike, abs=1e-5)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(HomefeedError, match=r'text_model: no folder ".*nowhere"; Homefeed downloads no models'):
        fit(tmp_path / "nowhere", ["bike"])


@pytest.mark.parametrize("content", [None, b"", b"\xff" * 8 + b"{}", b"\x02" + bytes(7) + b"[]"])
def test_a_folder_without_a_model(tmp_path: Path, content: bytes | None) -> None:
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        if content is not None:
            (tmp_path / name).write_bytes(content)
    with pytest.raises(HomefeedError, match=r"holds no text model; expected modules.json.* model.safetensors"):
        load_text_model(str(tmp_path))


def test_a_library_that_is_not_installed(static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "model2vec", None)
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    (tmp_path / "modules.json").write_text("[]")
    missing = ((static, "model2vec", "text"), (tmp_path, "sentence-transformers", "sentence-transformers"))
    for folder, library, extra in missing:
        with pytest.raises(HomefeedError, match=rf"model of {library}, .*pip install 'homefeed\[{extra}\]'"):
            load_text_model(str(folder))


def test_a_damaged_model(tmp_path: Path) -> None:
    weights = save_model2vec(tmp_path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(HomefeedError, match=r"does not load as a model of model2vec: .*copy it again"):
        load_text_model(str(tmp_path))


def test_a_model_whose_vectors_are_not_numbers(tmp_path: Path) -> None:
    encode = load_text_model(str(save_model2vec(tmp_path, np.full((len(WORDS), 4), np.nan, np.float32))))
    with pytest.raises(HomefeedError, match="does not give every text a vector of finite numbers"):
        encode(["bike"])


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package like wordllama, with the words of these tests, first on the path. Nobody may import it."""
    safetensors = pytest.importorskip("safetensors.numpy")
    folder = tmp_path / "first" / WORDLLAMA
    (folder / "weights").mkdir(parents=True)
    (folder / "tokenizers").mkdir()
    (folder / "__init__.py").write_text("raise AssertionError('imported')")
    vectors = {"embedding.weight": word_vectors().astype(np.float16)}
    safetensors.save_file(vectors, folder / "weights" / "l2_supercat_256.safetensors")
    word_tokenizer().save(str(folder / "tokenizers" / "l2_supercat_tokenizer_config.json"))
    monkeypatch.syspath_prepend(folder.parent)
    return folder


@pytest.mark.usefixtures("package")
def test_a_package_is_a_text_model_by_its_name_and_the_default_where_it_is_installed() -> None:
    assert default_text_model() == WORDLLAMA
    encode = load_text_model(WORDLLAMA)
    bike, cycling, drama = encode(["bike", "cycling", "drama"])
    assert bike @ cycling > 10 * abs(bike @ drama)
    assert WORDLLAMA not in sys.modules


@pytest.mark.usefixtures("package")
def test_a_model_made_with_a_package_serves_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = ContentConfig(fields={"title": 1.0}, text_model=WORDLLAMA)
    model = ContentTrainer(config).fit(toy_world().data)
    (tmp_path / "model").mkdir()
    model.save(tmp_path / "model")
    monkeypatch.setitem(sys.modules, "model2vec", None)
    monkeypatch.setattr("homefeed.retrieve.content.embedding._wordllama", lambda: None)
    served = ContentModel.load(tmp_path / "model")
    assert served.embed([{"title": ["star"]}]).any()


def test_none_is_the_catalogues_own_words_whatever_is_installed(package: Path) -> None:
    data = toy_world().data
    own = ContentTrainer(ContentConfig(fields={"title": 1.0})).fit(data)
    none = ContentTrainer(ContentConfig(fields={"title": 1.0}, text_model="none")).fit(data)
    assert np.array_equal(own.vectors, none.vectors)


def test_a_package_that_is_not_there_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("homefeed.retrieve.content.embedding._wordllama", lambda: None)
    assert default_text_model() is None
    with pytest.raises(HomefeedError, match=r"wordllama.*pip install 'homefeed\[text\]'"):
        load_text_model(WORDLLAMA)


def test_a_broken_package_is_named(package: Path) -> None:
    (package / "weights" / "l2_supercat_256.safetensors").write_bytes(b"no weights")
    with pytest.raises(HomefeedError, match="wordllama"):
        load_text_model(WORDLLAMA)


def test_the_package_that_the_extra_brings_knows_what_words_mean() -> None:
    if default_text_model() is None:
        pytest.skip("the extra text is not installed")
    laptop, notebook, banana = load_text_model(WORDLLAMA)(["laptop", "notebook computer", "banana"])
    assert laptop @ notebook > laptop @ banana
