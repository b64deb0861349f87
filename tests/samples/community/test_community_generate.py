import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from scipy import sparse

from homefeed.errors import InvalidError
from homefeed.samples import END
from homefeed.samples.community import generate as module
from homefeed.samples.community.generate import ACTIONS, DEFAULTS, generate, plan_world
from homefeed.samples.community.people import TAGS
from homefeed.samples.community.posts import KINDS

DAY = 86_400
COLUMNS = {
    "users": "user_id community_id block interests language joined_at",
    "items": "item_id community_id block creator_id item_type title text tags created_at expires_at "
    "quality reports",
    "interactions": "user_id item_id event_type dwell_seconds created_at",
    "truth/users": "user_id interests cold activity",
    "truth/items": "item_id quality spam duplicate_of topic",
}


@dataclass(frozen=True)
class Sample:
    users: pl.DataFrame
    items: pl.DataFrame
    events: pl.DataFrame
    true_users: pl.DataFrame
    true_items: pl.DataFrame

    @property
    def judged(self) -> pl.DataFrame:
        return self.items.join(self.true_items, on="item_id", suffix="_true")

    @property
    def joined(self) -> pl.DataFrame:
        users = self.users.join(self.true_users, on="user_id", suffix="_true").rename({"block": "home"})
        items = self.judged.rename({"created_at": "posted"})
        return self.events.join(users, on="user_id").join(items, on="item_id", suffix="_item")


def read(folder: Path) -> Sample:
    tables = [pl.read_csv(folder / f"{name}.csv") for name in COLUMNS]
    times = pl.col("^(joined|created|expires)_at$").str.to_datetime("%Y-%m-%dT%H:%M:%SZ").dt.epoch("s")
    return Sample(*(table.with_columns(times) if n < 3 else table for n, table in enumerate(tables)))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("community")
    generate(folder)
    return read(folder)


def tags_of(column: pl.Series) -> list[set[str]]:
    return [set(text.split("|")) if text else set() for text in column]


def tastes_of(column: pl.Series) -> list[dict[str, float]]:
    return [{tag: float(weight) for tag, weight in re.findall(r"([^|:]+):([\d.]+)", text)} for text in column]


def meets_interest(topic: pl.Series, interests: pl.Series) -> npt.NDArray[np.bool_]:
    tastes = {text: set(re.findall(r"([^|:]+):", text)) for text in interests.unique()}
    topics = {text: set(text.split("|")) for text in topic.unique()}
    return np.array([bool(topics[one] & tastes[other]) for one, other in zip(topic, interests, strict=True)])


def similarities(texts: list[str], word: str) -> npt.NDArray[np.float64]:
    pairs = [set(pairwise(re.findall(word, text.casefold()))) for text in texts]
    number = {pair: column for column, pair in enumerate(set().union(*pairs))}
    rows = np.repeat(np.arange(len(pairs)), [len(own) for own in pairs])
    columns = np.array([number[pair] for own in pairs for pair in own])
    table = sparse.csr_array((np.ones(len(rows)), (rows, columns)))
    shared = (table @ table.T).toarray()
    size = np.diag(shared)
    return np.asarray(shared / (size[:, None] + size - shared))


def test_the_summary_names_what_was_written(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    summary = generate(folder, users=50, items=40, events=700, days=10)
    assert (summary.users, summary.items, summary.events) == (50, 40, 700)
    tables = {str(path.relative_to(folder)): pl.read_csv(path) for path in summary.files}
    assert {name.removesuffix(".csv"): " ".join(table.columns) for name, table in tables.items()} == COLUMNS
    assert [table.height for table in tables.values()] == [50, 40, 700, 50, 40]


def test_values_are_those_of_the_contract(sample: Sample) -> None:
    assert (sample.users.height, sample.items.height, sample.events.height) == (1_200, 1_500, 60_000)
    blocks = sample.users.group_by("community_id").agg(pl.col("block").unique())["block"]
    assert blocks.list.len().to_list() == [4, 4, 4]
    assert blocks.explode().n_unique() == 12
    assert set(sample.items["item_type"]) == set(KINDS)
    assert set(sample.events["event_type"]) == set(ACTIONS)
    assert set().union(*tags_of(sample.users["interests"]), *tags_of(sample.items["tags"])) == set(TAGS)
    assert sample.items["quality"].drop_nulls().is_between(0, 1).all()
    assert sample.items["reports"].min() == 0
    assert sample.users["language"].n_unique() > 3
    optional = {"interests", "block", "tags", "expires_at", "quality", "dwell_seconds"}
    for table in (sample.users, sample.items, sample.events):
        assert {column for column in table.columns if table[column].null_count()} <= optional
    lasts = sample.events["dwell_seconds"].is_not_null()
    assert (lasts == sample.events["event_type"].is_in(["view", "click"])).all()
    assert sample.events["dwell_seconds"].drop_nulls().is_between(1, 600).all()


def test_everything_named_is_there_and_of_the_same_community(sample: Sample) -> None:
    for table, key in ((sample.users, "user_id"), (sample.items, "item_id")):
        assert table[key].is_unique().all()
    joined = sample.joined
    assert joined.height == sample.events.height
    assert (joined["community_id"] == joined["community_id_item"]).all()
    home = dict(sample.users.select("block", "community_id").iter_rows())
    of_block = sample.items.filter(pl.col("block").is_not_null())
    assert [home[block] for block in of_block["block"]] == of_block["community_id"].to_list()


def test_creators_live_in_the_community_or_are_its_organisations(sample: Sample) -> None:
    residents = sample.items.join(sample.users, left_on="creator_id", right_on="user_id", suffix="_lives")
    assert (residents["community_id_lives"] == residents["community_id"]).all()
    assert (residents["joined_at"] <= residents["created_at"]).all()
    others = sample.items.join(sample.users, left_on="creator_id", right_on="user_id", how="anti")
    assert 0.05 < others.height / sample.items.height < 0.25
    assert all(row[0].startswith(row[1]) for row in others.select("creator_id", "community_id").iter_rows())
    posts = np.sort(residents["creator_id"].value_counts()["count"].to_numpy())[::-1]
    assert posts[:20].sum() > 0.3 * posts.sum()


def test_nobody_acts_before_joining_or_on_what_is_not_there(sample: Sample) -> None:
    joined, begin, end = sample.joined, int(END.timestamp()) - 60 * DAY, int(END.timestamp())
    assert joined["created_at"].is_sorted()
    assert joined["created_at"].is_between(begin, end - 1).all()
    assert joined.select((pl.col("created_at") >= pl.max_horizontal("joined_at", "posted")).all()).item()
    assert (joined["created_at"] <= joined["expires_at"].fill_null(end)).all()
    assert (joined["user_id"] != joined["creator_id"]).all()
    assert sample.items["created_at"].is_between(begin, end - 1).all()
    assert (sample.items["expires_at"] > sample.items["created_at"]).all()
    assert 0.2 < (sample.items["expires_at"] < end).sum() / sample.items.height < 0.7


def test_evenings_weekends_and_fresh_posts_are_busy(sample: Sample) -> None:
    time = pl.from_epoch(sample.events["created_at"])
    share = np.bincount(time.dt.hour().to_numpy(), minlength=24)
    assert share[18:22].sum() > 10 * share[1:5].sum()
    assert share[18:22].sum() > 2 * share[8:12].sum()
    share = np.bincount(time.dt.weekday().to_numpy(), minlength=8)
    assert share[6:].mean() > 1.2 * share[1:6].mean()
    age = ((sample.joined["created_at"] - sample.joined["posted"]) / DAY).to_numpy()
    assert (age < 4).mean() > 0.5
    assert (age > 7).mean() > 0.05


def test_a_visit_is_a_coherent_funnel(sample: Sample) -> None:
    def when(action: str) -> pl.Expr:
        return pl.col("created_at").filter(pl.col("event_type") == action)

    pairs = sample.events.group_by("user_id", "item_id").agg(
        *(when(action).len().alias(action) for action in ACTIONS),
        orderly=when("view").min() == pl.col("created_at").min(),
        over=when("hide").max() > when("view").max(),
    )
    assert pairs["orderly"].all()
    assert pairs["over"].drop_nulls().all()
    assert (pairs["click"] <= pairs["view"]).all()
    assert (pairs.select(pl.max("like", "share", "save", "hide", "report")).transpose()["column_0"] == 1).all()
    pleased = pairs.filter(pl.sum_horizontal("like", "comment", "share", "save") > 0)
    assert (pleased["click"] > 0).all()


def test_true_interests_show_in_what_residents_do(sample: Sample) -> None:
    joined = sample.joined
    fits = meets_interest(joined["topic"], joined["interests_true"])
    by_chance = meets_interest(joined["topic"], joined["interests_true"].shuffle(seed=0)).mean()
    kind = joined["event_type"].to_numpy()
    assert fits[kind == "view"].mean() > 3 * by_chance
    assert fits[np.isin(kind, ["like", "save"])].mean() > 4 * by_chance
    assert fits[np.isin(kind, ["like", "save"])].mean() > fits[kind == "view"].mean() + 0.15
    assert fits[kind == "hide"].mean() < fits[kind == "view"].mean() - 0.1
    assert 0.05 < 1 - fits[kind == "view"].mean() < 0.4
    views = joined.with_columns(fits=pl.Series(fits)).filter(pl.col("event_type") == "view")
    longer = dict(views.group_by("fits").agg(pl.col("dwell_seconds").mean()).iter_rows())
    assert longer[True] > 1.3 * longer[False]


def test_quality_and_the_own_block_draw_attention(sample: Sample) -> None:
    views = sample.joined.filter(pl.col("event_type") == "view")
    seen = views.group_by("item_id").len("views")
    items = sample.true_items.join(seen, on="item_id", how="left").filter(~pl.col("spam")).fill_null(0)
    best_first = items.sort("quality", descending=True)["views"].to_numpy()
    assert best_first[:700].mean() > 1.2 * best_first[700:].mean()
    of_block = views.filter(pl.col("block").is_not_null())
    assert (of_block["block"] == of_block["home"]).mean() > 0.5  # type: ignore[operator]


def test_neighbours_and_clusters_share_interests(sample: Sample) -> None:
    tastes = tastes_of(sample.true_users["interests"])
    table = np.array([[tag in taste for tag in TAGS] for taste in tastes], dtype=float)
    together = np.corrcoef(table.T)
    sport = [TAGS.index(tag) for tag in ("running", "cycling", "swimming", "hiking")]
    culture = [TAGS.index(tag) for tag in ("music", "choir", "film", "books")]
    assert together[np.ix_(sport, sport)].mean() > together[np.ix_(sport, culture)].mean() + 0.2
    blocks = sample.users["block"].to_numpy()
    share = np.array([table[blocks == block].mean(axis=0) for block in np.unique(blocks)])
    assert share.std(axis=0).mean() > 1.5 * np.sqrt(table.mean() * (1 - table.mean()) / 100)


def test_the_truth_lists_two_to_four_interests_that_sum_to_one(sample: Sample) -> None:
    assert sample.true_users["user_id"].equals(sample.users["user_id"])
    tastes = tastes_of(sample.true_users["interests"])
    assert {len(taste) for taste in tastes} == {2, 3, 4}
    for taste in tastes:
        assert set(taste) <= set(TAGS)
        assert sum(taste.values()) == pytest.approx(1, abs=1e-6)
        assert list(taste.values()) == sorted(taste.values(), reverse=True)


def test_declared_interests_are_a_noisy_part_of_the_true_ones(sample: Sample) -> None:
    declared = tags_of(sample.users["interests"])
    true = [set(taste) for taste in tastes_of(sample.true_users["interests"])]
    assert {len(tags) for tags in declared} == {0, 1, 2, 3}
    assert 0.06 < np.mean([not tags for tags in declared]) < 0.15
    right = sum(len(tags & liked) for tags, liked in zip(declared, true, strict=True))
    assert 0.85 < right / sum(map(len, declared)) < 0.99


def test_the_truth_of_items_explains_what_is_seen(sample: Sample) -> None:
    items = sample.judged
    assert sample.true_items["item_id"].equals(sample.items["item_id"])
    seen = items.filter(pl.col("quality").is_not_null())
    assert 0.06 < 1 - seen.height / items.height < 0.16
    assert seen.select(pl.corr("quality", "quality_true")).item() > 0.8
    tags, topics = tags_of(items["tags"]), tags_of(items["topic"])
    right = np.mean([bool(own & topic) for own, topic in zip(tags, topics, strict=True)])
    assert 0.85 < right < 0.98
    assert 0.25 < items["block"].is_not_null().mean() < 0.45  # type: ignore[operator]
    good = items.filter(~pl.col("spam"))
    assert (good["quality"].fill_null(1.0) >= 0.3).mean() > 0.95  # type: ignore[operator]
    assert good["reports"].max() <= 2  # type: ignore[operator]


def test_spam_can_be_caught(sample: Sample) -> None:
    spam = sample.judged.filter("spam")
    assert spam.height == 45
    assert spam["quality_true"].max() < 0.15  # type: ignore[operator]
    assert spam.select(((pl.col("quality").fill_null(1.0) < 0.3) | (pl.col("reports") >= 3)).all()).item()
    assert 0 < spam["quality"].null_count() < 25
    assert (spam.filter(pl.col("quality").is_null())["reports"] >= 3).all()
    reported = sample.joined.filter(pl.col("event_type") == "report").group_by("item_id", "reports").len("sent")
    assert reported.height > 5
    assert (reported["sent"] <= reported["reports"]).all()


@pytest.mark.parametrize("word", [r"\w+", r"\S+"])
def test_only_planted_copies_read_alike(sample: Sample, word: str) -> None:
    copies = 0
    for items in sample.judged.partition_by("community_id"):
        similarity = similarities((items["title"] + " " + items["text"]).to_list(), word)
        np.fill_diagonal(similarity, 0.0)
        row = {item: number for number, item in enumerate(items["item_id"])}
        for copy, original in items.select("item_id", "duplicate_of").drop_nulls().iter_rows():
            pair = row[copy], row[original]
            assert similarity[pair] > 0.6
            similarity[pair] = similarity[pair[::-1]] = 0.0
            copies += 1
        assert similarity.max() < 0.45
    assert copies == 60


def test_a_copy_is_later_and_of_one_topic_but_not_the_same(sample: Sample) -> None:
    items = sample.judged
    pairs = items.join(items, left_on="duplicate_of", right_on="item_id", suffix="_first")
    assert pairs.height == 60
    assert (pairs["created_at"] > pairs["created_at_first"]).all()
    assert (pairs["topic"] == pairs["topic_first"]).all()
    assert ((pairs["title"] != pairs["title_first"]) | (pairs["text"] != pairs["text_first"])).all()
    assert 0.3 < (pairs["creator_id"] == pairs["creator_id_first"]).mean() < 0.9  # type: ignore[operator]


def test_texts_read_like_texts(sample: Sample) -> None:
    originals = sample.judged.filter(pl.col("duplicate_of").is_null())
    assert originals["title"].str.split(" ").list.len().is_between(3, 8).all()
    assert originals["text"].str.split(" ").list.len().is_between(24, 55).all()
    both = sample.items["title"] + "\n" + sample.items["text"]
    assert not both.str.contains(r"[{}]|  |\b(the the|at at|a a)\b|^[a-z]|[.?!] [a-z]").any()


def test_cold_residents_and_new_posts_have_no_history(sample: Sample) -> None:
    cold, end = sample.true_users.filter("cold"), int(END.timestamp())
    assert cold.height == 72
    assert cold.join(sample.events, on="user_id").is_empty()
    assert ((sample.true_users["activity"] == 0) == sample.true_users["cold"]).all()
    assert (sample.users.join(cold, on="user_id")["joined_at"] >= end - 4 * DAY).all()
    untouched = sample.items.join(sample.events, on="item_id", how="anti")
    assert 60 <= (untouched["created_at"] >= end - 2 * DAY).sum() <= untouched.height < 200


def test_many_chunks_have_the_shape_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"users": 300, "items": 400, "events": 12_000, "days": 30}
    steps: list[tuple[int, int]] = []
    generate(tmp_path / "one", **options, progress=lambda done, total: steps.append((done, total)))
    assert steps == sorted(set(steps))
    assert steps[-1] == (12_000, 12_000)
    monkeypatch.setattr(module, "_CHUNK", 500)
    generate(tmp_path / "many", **options)
    one, many = (read(tmp_path / name).events for name in ("one", "many"))
    assert one.height == many.height
    views = [(events["event_type"] == "view").mean() for events in (one, many)]
    assert views[0] == pytest.approx(views[1], abs=0.02)


@pytest.mark.parametrize(
    "size",
    [
        {"users": 1, "items": 1, "events": 1},
        {"items": 2, "users": 9, "events": 900},
        {"users": 40, "items": 60, "events": 500, "days": 1},
        {"communities": 30, "blocks": 7},
        {"users": 200, "items": 200, "communities": 11, "blocks": 150},
        {"seed": 3, "end": datetime(2025, 6, 15, 13, 45, 30, tzinfo=UTC)},
    ],
)
def test_small_worlds_work(tmp_path: Path, size: dict[str, Any]) -> None:
    sizes: dict[str, Any] = {"users": 20, "items": 20, "events": 150, "days": 7} | size
    generate(tmp_path, **sizes)
    written = read(tmp_path)
    assert (written.users.height, written.items.height) == (sizes["users"], sizes["items"])
    joined = written.joined
    assert joined.height == sizes["events"]
    assert (joined["community_id"] == joined["community_id_item"]).all()
    assert joined.select((pl.col("created_at") >= pl.max_horizontal("joined_at", "posted")).all()).item()
    assert (joined["created_at"] < int(sizes.get("end", END).timestamp())).all()


def test_worlds_scale_down_to_what_their_people_can_fill() -> None:
    homes = plan_world(replace(DEFAULTS, users=5, items=2, days=7, seed=1, communities=3, blocks=12)).homes
    assert (len(homes.communities), len(homes.blocks)) == (2, 5)
    many = plan_world(replace(DEFAULTS, users=400, items=40, days=7, seed=1, communities=20, blocks=200)).homes
    assert (len(set(many.communities)), len(set(many.blocks))) == (20, 200)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"communities": 0}, "communities: expected at least 1, got 0"),
        ({"blocks": 0}, "blocks: expected at least 1, got 0"),
    ],
)
def test_no_community_and_no_block_are_refused_in_words(tmp_path: Path, wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidError, match=text):
        generate(tmp_path, **{"users": 20, "items": 20, "events": 100, "days": 7, **wrong})
    assert not list(tmp_path.iterdir())
