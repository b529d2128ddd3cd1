"""What figures of tokens and of attention hold."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from fake_store import make_store
from small_store import make_small_store

from featbank.bank.attention_maps import write_attention
from featbank.bank.bank import Bank
from featbank.errors import UnknownNameError
from featbank.lookup.tokens import outlier_norm, principal_colours, read_tokens, tokens_of
from featbank.pages.figures import FIGURES, FigureOptions
from featbank.pages.figures.attention import attention_sheet, chosen_maps
from featbank.pages.figures.token_norms import token_norms
from featbank.pages.figures.token_pca import token_pca
from featbank.store.reader import Store


class Pictures:
    def thumbnails(self, ids, side_px):
        return np.full((len(ids), 4, 4, 3), 77, np.uint8)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(make_store(tmp_path_factory.mktemp("s") / "s.zarr"))


@pytest.fixture
def ids(store):
    return [str(sample) for sample in store.ids[[2, 90, 40]]]


def drawn(figure):
    return [np.asarray(image.get_array()) for image in figure.axes[0].images]


def test_components_are_drawn_below_their_chips(store, ids):
    figure = token_pca(store, ids, pictures=Pictures())
    images = drawn(figure)
    colours, _ = principal_colours(tokens_of(store, ids))
    assert all((chip == 77).all() for chip in images[:3])
    np.testing.assert_array_equal(np.stack(images[3:]), colours)


def test_shares_of_the_variance_are_told(store, ids):
    _, shares = principal_colours(tokens_of(store, ids))
    told = " ".join(text.get_text() for text in token_pca(store, ids).axes[0].texts)
    assert ", ".join(f"{100 * share:.0f} %" for share in shares) in told.replace("\n", " ")


def test_without_pictures_the_ids_stand_below_the_tokens(store, ids):
    told = [text.get_text() for text in token_pca(store, ids).axes[0].texts]
    assert told[-3:] == ids


def test_the_histogram_counts_every_token_once(store, ids):
    figure = token_norms(store, ids)
    heights = [patch.get_height() for patch in figure.axes[0].patches]
    assert sum(heights) == 64 * 6


def test_the_cutoff_stands_where_it_is(store, ids):
    figure = token_norms(store, ids, seed=4)
    (line,) = figure.axes[0].lines
    from featbank.lookup.tokens import sampled_token_rows

    norms = np.linalg.norm(read_tokens(store, sampled_token_rows(store, 64, seed=4)), axis=-1)
    assert line.get_xdata()[0] == pytest.approx(outlier_norm(norms))


def test_maps_are_norms_before_the_final_norm(store, ids):
    figure = token_norms(store, ids, pictures=Pictures())
    maps = [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]
    raw = tokens_of(store, ids, is_normed=False)
    found = [one for one in maps if one.shape == (2, 3)]
    np.testing.assert_allclose(np.stack(found), np.linalg.norm(raw, axis=-1), rtol=1e-5)


def test_maps_share_one_scale(store, ids):
    figure = token_norms(store, ids)
    scales = {axes.images[0].get_clim() for axes in figure.axes if axes.images}
    assert len(scales) == 1


def attention(heads=3, registers=1):
    shape = (heads, 1 + registers, 2, 5)
    values = np.random.default_rng(0).uniform(size=(2, *shape)).astype(np.float32)
    values /= values.sum(axis=(-2, -1), keepdims=True) * 1.2
    return {"chip-a": values[0], "chip-b": values[1]}


def test_a_row_for_cls_and_each_register_a_column_for_each_head():
    maps = attention()
    images = drawn(attention_sheet(maps))
    # Rows: chip-a CLS, chip-a register, chip-b …; columns: mean, then the heads.
    assert len(images) == 2 * 2 * 4
    np.testing.assert_allclose(images[0], maps["chip-a"][:, 0].mean(axis=0))
    np.testing.assert_allclose(images[6], maps["chip-a"][1, 1])
    np.testing.assert_allclose(images[11], maps["chip-b"][2, 0])


def test_rows_are_named_and_maxima_told():
    maps = attention()
    told = [text.get_text() for text in attention_sheet(maps).axes[0].texts]
    headings = [text for text in told if "from" in text and "chip" in text]
    assert headings == [f"chip-{c}: from {t}" for c in "ab" for t in ("CLS", "register 1")]
    assert f"head 2\nmax {maps['chip-b'][2, 1].max():.3f}" in told


def test_a_chip_stands_beside_its_cls_row_alone():
    images = drawn(attention_sheet(attention(), pictures=Pictures()))
    chips = [image for image in images if image.ndim == 3]
    assert [int(chip[0, 0, 0]) for chip in chips] == [77, 255, 77, 255]


def test_of_no_ids_four_are_drawn_and_an_unknown_one_names_the_command():
    maps = {f"c{i}": np.zeros((3, 1, 2, 2)) for i in range(9)}
    assert list(chosen_maps(maps, ())) == ["c0", "c1", "c2", "c3"]
    assert list(chosen_maps({n: np.zeros((3, 5, 2, 2)) for n in maps}, ())) == ["c0", "c1"]
    with pytest.raises(UnknownNameError, match="featbank attend --ids z"):
        chosen_maps(maps, ("c1", "z"))


def subject(store, bank):
    return SimpleNamespace(store=store, bank=bank, pictures=None)


def test_what_is_missing_names_the_command(store, tmp_path):
    plain = make_small_store(tmp_path / "s.zarr", ["a", "b"], np.eye(2))
    bare = subject(plain, Bank(tmp_path))
    assert "--tokens" in FIGURES["token-pca"].missing(bare)
    assert "--tokens" in FIGURES["token-norms"].missing(bare)
    assert FIGURES["attention"].missing(bare) == "attention maps: run 'featbank attend'"
    assert FIGURES["token-pca"].missing(subject(store, Bank(tmp_path))) == ""


def test_the_last_block_that_is_kept_is_drawn(store, tmp_path):
    bank, recipe = Bank(tmp_path), store.attributes["recipe_id"]
    for layer in (3, 11):
        write_attention(bank, recipe, layer, attention())
    looked = subject(store, bank)
    assert FIGURES["attention"].missing(looked) == ""
    figure = FIGURES["attention"].draw(looked, FigureOptions(ids=("chip-b",)))
    assert figure.axes[0].texts[0].get_text() == "made: attention of none, block 11"
