import numpy as np
import pytest
from fake_chips import write_chips

from featbank.errors import RefusedError
from featbank.sources.embed_options import EmbedOptions
from featbank.sources.selection import fingerprint, hash_order, sampled_rows
from featbank.stages.embed.plan import plan_embed


@pytest.fixture(scope="module")
def imagery(tmp_path_factory):
    return write_chips(tmp_path_factory.mktemp("d") / "chips", chips=20)


def plan(imagery, tmp_path, **more):
    options = EmbedOptions(
        **{"model": "imagestats", "dataset": str(imagery), "bank": tmp_path, "workers": 0, **more}
    )
    return plan_embed(options)


def train_pixels(made, scheme):
    dataset = made.imagery.dataset
    rows = np.flatnonzero(dataset.samples.splits[scheme] == 0)
    return np.stack([dataset.reader.read(row)["image"] for row in rows]).astype(float)


def test_statistics_are_those_of_the_train_split(imagery, tmp_path):
    made = plan(imagery, tmp_path)
    pixels = train_pixels(made, "random-0")
    np.testing.assert_allclose(made.inputs.statistics.mean, pixels.mean((0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(made.inputs.statistics.std, pixels.std((0, 2, 3)), rtol=1e-5)


def test_statistics_follow_the_scheme_named(imagery, tmp_path):
    made = plan(imagery, tmp_path, split_scheme="random-2")
    pixels = train_pixels(made, "random-2")
    np.testing.assert_allclose(made.inputs.statistics.mean, pixels.mean((0, 2, 3)), rtol=1e-5)
    assert "stratified-2" in made.inputs.statistics.source


def test_statistics_follow_the_order_of_bands(imagery, tmp_path):
    straight = plan(imagery, tmp_path).inputs.statistics.mean
    turned = plan(imagery, tmp_path, bands="blue,green,red").inputs.statistics.mean
    assert turned == straight[::-1]


def test_a_fitted_state_is_repeatable(imagery, tmp_path):
    first, again = (plan(imagery, tmp_path, model="rcf") for _ in range(2))
    assert first.weights.sha256 == again.weights.sha256


def test_a_fitted_state_follows_the_seed(imagery, tmp_path):
    plans = [plan(imagery, tmp_path, model="rcf", seed=seed) for seed in (0, 1)]
    assert plans[0].weights.sha256 != plans[1].weights.sha256
    assert plans[0].path != plans[1].path


def test_a_set_of_torn_files_is_refused_at_the_first_look(imagery, tmp_path):
    import shutil

    torn = tmp_path / "torn"
    shutil.copytree(imagery, torn)
    for path in list(torn.rglob("*.png"))[1:]:
        path.write_bytes(path.read_bytes()[:100])
    whole = sorted(torn.rglob("*.png"))[0]
    shutil.copy(imagery / "class0" / "00.png", whole)
    with pytest.raises(RefusedError, match="chips are refused"):
        plan(torn, tmp_path)


def test_a_sample_is_repeatable_and_in_row_order(imagery, tmp_path):
    samples = plan(imagery, tmp_path).imagery.dataset.samples
    rows = sampled_rows(samples, count=10)
    assert rows == sorted(rows) == sampled_rows(samples, count=10)


def test_a_sample_is_mixed_over_classes(imagery, tmp_path):
    samples = plan(imagery, tmp_path).imagery.dataset.samples
    rows = sampled_rows(samples, count=20)
    assert len(set(samples.labels["class"].codes[rows])) == 3


def test_hash_order_does_not_depend_on_row_order():
    ids = np.array([f"s{i}" for i in range(50)], dtype=object)
    shuffled = ids[np.random.default_rng(0).permutation(50)]
    assert ids[hash_order(ids)].tolist() == shuffled[hash_order(shuffled)].tolist()


def test_the_fingerprint_knows_the_files(imagery, tmp_path):
    import shutil

    grown = tmp_path / "grown" / "chips"
    shutil.copytree(imagery, grown)
    shutil.copy(grown / "class0" / "00.png", grown / "class0" / "99.png")
    prints = [fingerprint(plan(i, tmp_path).imagery.dataset.samples) for i in (imagery, grown)]
    assert prints[0] != prints[1]
