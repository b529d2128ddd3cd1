"""Results of two folders of one name are never compared as if they were of the same images."""

import pytest
from fixed_size_chips import write_chip, write_folder

from featbank.errors import ProbeError
from featbank.sources.embed_options import EmbedOptions
from featbank.stages.compare.options import CompareOptions
from featbank.stages.compare.run import compare_results
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.stages.probe.run import ProbeOptions, probe_store


def probed(folder, bank, *, ks=(3,)):
    """Ids of the results of a folder's store."""
    options = EmbedOptions(
        model="imagestats", normalise="none", dataset=str(folder), bank=bank, workers=0
    )
    store = embed_dataset(plan_embed(options)).store
    asked = [
        ProbeOptions(store=store, bank=bank, clf="knn", params={"k": k}, resamples=5) for k in ks
    ]
    return tuple(probe_store(each).results[0].result for each in asked)


@pytest.fixture(scope="module")
def years(tmp_path_factory):
    root = tmp_path_factory.mktemp("years")
    folders = [
        write_folder(root / year / "chips", chips=20, first_seed=seed)
        for year, seed in (("2019", 0), ("2020", 500))
    ]
    return root / "bank", folders, [probed(each, root / "bank", ks=(3, 5)) for each in folders]


def test_other_images_of_the_same_ids_are_refused(years):
    bank, _, results = years
    with pytest.raises(ProbeError, match="samples of equal ids are other images"):
        compare_results(CompareOptions(bank=bank, results=(results[0][0], results[1][0])))


def test_a_folders_path_stands_for_its_own_results(years):
    bank, folders, results = years
    for folder, own in zip(folders, results, strict=True):
        found = compare_results(CompareOptions(bank=bank, dataset=str(folder)))
        assert {head.result for head in found.results} == set(own)


def test_a_name_that_two_folders_bear_is_refused(years):
    with pytest.raises(ProbeError, match="Name the folder's path with --dataset"):
        compare_results(CompareOptions(bank=years[0], dataset="chips"))


def test_only_an_edited_image_is_left_out(tmp_path):
    folder, bank = write_folder(tmp_path / "chips", chips=20), tmp_path / "bank"
    (before,) = probed(folder, bank)
    whole = compare_results(
        CompareOptions(bank=bank, results=(before, *probed(folder, bank, ks=(5,))))
    )
    for number in range(20):
        write_chip(folder / "class0" / f"{number:02d}.tif", 900 + number)
    (after,) = probed(folder, bank)
    found = compare_results(CompareOptions(bank=bank, results=(before, after)))
    assert (found.n, found.left_out) == (whole.n // 2, whole.n - whole.n // 2)
