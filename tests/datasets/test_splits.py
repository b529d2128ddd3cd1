import hashlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from featbank.datasets import DATASETS, DatasetRequest
from featbank.datasets.split_gaps import class_counts, gaps_of
from featbank.datasets.splits import SCHEMES, with_splits
from featbank.datasets.splitting import overlaps
from featbank.samples import LabelSet, Samples


def make(n=1000, **columns):
    ids = np.array([f"s{i}" for i in range(n)], dtype=object)
    return Samples(ids=ids, origins=ids, **columns)


def labels(codes):
    codes = np.asarray(codes, dtype=np.int32)
    names = tuple(f"c{k}" for k in range(int(codes.max()) + 1))
    return {"c": LabelSet(classes=names, codes=codes)}


def in_utm(x, y, side=640.0):
    """Columns of square chips in UTM zone 32: corners in m, places by someone else's projection."""
    from pyproj import Transformer

    x, y = 500_000 + np.asarray(x, float), 5_300_000 + np.asarray(y, float)
    lonlat = Transformer.from_crs(32632, 4326, always_xy=True).transform(x + side / 2, y + side / 2)
    return {
        "bbox": np.stack([x, y, x + side, y + side], axis=1),
        "crs": np.full(len(x), "EPSG:32632", dtype=object),
        "lonlat": np.stack(lonlat, axis=1),
    }


def counts(samples):
    """Samples in train, val, test and none, of each scheme by its true name."""
    return {
        name: np.bincount(split, minlength=4).tolist()
        for name, split in samples.splits.items()
        if name not in samples.aliases
    }


def kinds(samples):
    return {name.rsplit("-", 1)[0] for name in samples.aliases.values()}


@pytest.fixture
def labelled():
    codes = np.random.default_rng(0).integers(0, 7, 1000).astype(np.int32)
    return make(labels={"c": LabelSet(classes=tuple("abcdefg"), codes=codes)})


def shares(split):
    return np.bincount(split, minlength=3) / len(split)


def test_five_seeded_schemes_are_made_under_two_names(labelled):
    found = with_splits(labelled)
    assert tuple(found.splits) == (*SCHEMES, *(f"stratified-{seed}" for seed in range(5)))
    for alias, name in found.aliases.items():
        np.testing.assert_array_equal(found.splits[alias], found.splits[name])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_shares_are_60_20_20(labelled, scheme):
    np.testing.assert_allclose(
        shares(with_splits(labelled).splits[scheme]), [0.6, 0.2, 0.2], atol=0.005
    )


def test_each_class_is_split_alike(labelled):
    split, codes = with_splits(labelled).splits["random-0"], labelled.labels["c"].codes
    for code in range(7):
        np.testing.assert_allclose(shares(split[codes == code]), [0.6, 0.2, 0.2], atol=0.02)


def test_schemes_differ(labelled):
    splits = with_splits(labelled).splits
    assert (splits["random-0"] != splits["random-1"]).mean() > 0.3


def test_a_published_split_is_kept(labelled):
    published = np.zeros(1000, dtype=np.int8)
    samples = make(splits={"official": published})
    assert list(with_splits(samples).splits) == ["official"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_group_is_never_split(scheme):
    group = np.array([f"g{i // 7}" for i in range(1000)], dtype=object)
    split = with_splits(make(group=group)).splits[scheme]
    assert all(len(set(split[group == name])) == 1 for name in set(group))


def test_groups_keep_the_shares():
    group = np.array([f"g{i // 7}" for i in range(1000)], dtype=object)
    np.testing.assert_allclose(
        shares(with_splits(make(group=group)).splits["random-2"]), [0.6, 0.2, 0.2], atol=0.03
    )


def test_neighbours_on_the_ground_share_a_split():
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 40, (1000, 2))
    lonlat = cells / 10 + rng.uniform(0.001, 0.099, (1000, 2))
    split = with_splits(make(lonlat=lonlat)).splits["random-0"]
    keys = cells[:, 0] * 100 + cells[:, 1]
    assert all(len(set(split[keys == key])) == 1 for key in set(keys))


def test_chips_without_a_place_do_not_break_the_rest():
    lonlat = np.random.default_rng(0).uniform(0, 5, (1000, 2))
    lonlat[3] = np.nan
    assert set(with_splits(make(lonlat=lonlat)).splits["random-0"]) == {0, 1, 2}


# SHA-256 of 'id code' lines in order of id, of the code before schemes were named.
PINNED = {
    "aid100": "1ef40154dc4c30b2 585554120d3f1220 9734c8487499918f 19d44d032e6fd496 "
    "f52824ab41a2de82",
    "eurosat100": "f8091f74ec36fd31 0286ea62f3443b54 5beac1cc9db2ad32 9536c70b2cf4be47 "
    "4e0fec1dba357414",
    "synthetic-s2": "7ad5a31d9422313b 4dd179139226cdaf f5c748487219a7c9 f9b55d17a1671517 "
    "d43ebdc78e9d002a",
    "synthetic-s2 of 90": "1b4d028ff57df259 3ae8739a031c83e2 1b4d028ff57df259 0ed6d0f58faf8881 "
    "31cf8287ab0fe628",
}
KINDS = {"aid100": "stratified", "eurosat100": "block-0.1deg"}


def digest(samples, scheme):
    order = np.argsort(samples.ids.astype(str))
    lines = (f"{samples.ids[row]} {samples.splits[scheme][row]}" for row in order)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", PINNED)
def test_schemes_that_were_not_degenerate_stay_sample_for_sample(name, shared):
    folders = {"aid100": "aid100", "eurosat100": "eurosat100/EuroSATallBands"}
    dataset, _, chips = name.partition(" of ")
    root = shared / "data" / folders[name] if name in folders else None
    request = DatasetRequest(root=root, chips=int(chips) if chips else None)
    samples = with_splits(DATASETS["folder" if root else dataset].open(request).samples)
    assert [digest(samples, scheme) for scheme in SCHEMES] == PINNED[name].split()
    assert kinds(samples) == {KINDS.get(name, "group")}


def test_85_plots_of_two_sites_have_both_classes_in_every_split(shared):
    """50/2/33 before, test without a class; two schemes had no test sample at all."""
    from featbank.datasets.geotiff import read_places

    root = shared / "data" / "idtrees" / "RemoteSensing" / "RGB"
    paths = sorted(path.name for path in root.glob("*.tif"))
    places = read_places(root, paths)
    sites = labels([path.startswith("OSBS") for path in paths])
    columns = {"lonlat": places.lonlat, "bbox": places.bbox, "crs": places.crs}
    samples = with_splits(make(85, labels=sites, **columns))
    assert kinds(samples) == {"block-5km"}
    for scheme in SCHEMES:
        held = class_counts(sites["c"].codes, samples.splits[scheme], 2)
        assert (held.sum(axis=1) > 0).all()
        assert (held[[0, 2]] > 0).all()


def test_120_chips_of_one_scene_are_split_by_smaller_blocks():
    """All five schemes were 120/0/0 before."""
    rows, columns = np.indices((10, 12)).reshape(2, -1) * 640.0
    samples = with_splits(make(120, labels=labels(np.arange(120) % 3), **in_utm(columns, rows)))
    assert all(min(found[:3]) > 5 for found in counts(samples).values())
    assert kinds(samples) <= {"block-0.1deg", "block-5km", "block-2km", "block-1km"}


def test_a_block_of_1_km_is_1_km_wide_wherever_it_lies():
    """By someone else's geodesic no two chips of a block are further apart than √2 km."""
    from pyproj import Geod

    from featbank.datasets.splitting.blocks import local_metres, metre_blocks

    rng = np.random.default_rng(0)
    for lon, lat in ((8, 48), (179.99, 10), (-60, -75), (30, 89.9), (15, -89.9), (3, 70)):
        lonlat = np.stack(
            [lon + rng.uniform(0, 0.02, 300), lat + rng.uniform(0, 0.02, 300)], axis=1
        )
        blocks = metre_blocks(local_metres(lonlat), 1000)
        for block in np.unique(blocks):
            own = lonlat[blocks == block]
            first = np.broadcast_to(own[0], own.shape)
            metres = Geod(ellps="WGS84").inv(*first.T, *own.T)[2]
            assert max(metres) <= 1000 * 2**0.5 * 1.01


def parted(samples, scheme):
    """Pairs of chips that overlap and stand in different splits, by comparing all of 640 m."""
    split, boxes, crs = samples.splits[scheme], samples.bbox, samples.crs
    found = 0
    for i in range(len(samples)):
        low = np.maximum(boxes[i, :2], boxes[:, :2])
        high = np.minimum(boxes[i, 2:], boxes[:, 2:])
        over = (high - low > 0.65).all(axis=1) & (crs == crs[i]) & (crs != "")
        found += int((over & (split != split[i]) & (split < 3) & (split[i] < 3)).sum())
    return found


def test_overlapping_chips_never_part():
    """Each place is seen three times; the second and third time a few pixels away."""
    rng = np.random.default_rng(1)
    x, y = np.repeat(np.arange(60) * 3000.0, 3), np.zeros(180)
    columns = in_utm(x + rng.uniform(0, 60, 180), y + rng.uniform(0, 60, 180))
    samples = with_splits(make(180, labels=labels(np.arange(180) // 3 % 4), **columns))
    assert [parted(samples, scheme) for scheme in SCHEMES] == [0] * 5
    assert all(min(found[:3]) > 0 for found in counts(samples).values())


def test_chips_that_only_touch_may_part():
    rows, columns = np.indices((4, 30)).reshape(2, -1) * 640.0
    samples = make(120, labels=labels(np.arange(120) % 3), **in_utm(columns, rows))
    assert len(overlaps.overlapping_pairs(samples)[0]) == 0


def test_more_pairs_than_are_kept_still_join_the_same_chips(monkeypatch):
    rows, columns = np.indices((12, 12)).reshape(2, -1) * np.array([[320.0], [900.0]])
    samples = make(144, **in_utm(columns, rows))
    every, is_whole = overlaps.overlapping_pairs(samples)
    monkeypatch.setattr(overlaps, "_MOST", 20)
    monkeypatch.setattr(overlaps, "_AT_ONCE", 7)
    few, is_less = overlaps.overlapping_pairs(samples)
    assert (is_whole, is_less) == (True, False)
    expected, found = (overlaps.joined(144, pairs) for pairs in (every, few))
    assert len(set(zip(expected, found, strict=True))) == len(set(expected)) == 12


def test_a_scene_of_sliding_windows_leaves_the_margins_out():
    rows, columns = np.indices((12, 12)).reshape(2, -1) * 320.0
    samples = with_splits(make(144, labels=labels(np.arange(144) % 3), **in_utm(columns, rows)))
    for scheme, name in samples.aliases.items():
        assert parted(samples, scheme) == 0
        assert min(np.bincount(samples.splits[scheme])[:3]) > 0
        assert "overlap another split are left out" in samples.split_notes[name]


def test_chips_of_one_spot_are_stratified_and_that_is_said():
    samples = with_splits(make(60, labels=labels(np.arange(60) % 3), lonlat=np.full((60, 2), 5.0)))
    assert kinds(samples) == {"stratified"}
    assert "chips that overlap stand in different splits" in samples.split_notes["stratified-0"]
    assert "places are not kept apart" in samples.split_notes["stratified-0"]


def test_classes_that_are_places_are_cut_until_train_and_test_hold_them():
    """Before, each class stood in one split alone."""
    lonlat = np.stack([np.arange(100) // 25 + 0.05, np.full(100, 45.05)], axis=1)
    lonlat += np.random.default_rng(0).uniform(0, 0.03, lonlat.shape)
    samples = with_splits(make(100, labels=labels(np.arange(100) // 25), lonlat=lonlat))
    for scheme in SCHEMES:
        gaps = gaps_of(samples, scheme, "c")
        assert (gaps.untrained, gaps.untested) == ((), ())
    assert any("block-0.1deg" in note for note in samples.notes)


def test_classes_of_one_group_each_part_groups_and_say_so():
    group = np.array([f"field {i // 25}" for i in range(100)], dtype=object)
    samples = with_splits(make(100, labels=labels(np.arange(100) // 25), group=group))
    assert kinds(samples) == {"stratified"}
    assert "groups are parted" in samples.split_notes["stratified-2"]


@pytest.mark.parametrize(("n", "least"), [(1, [1, 0, 0]), (2, [1, 0, 1]), (3, [1, 1, 1])])
def test_few_samples_go_to_train_then_test_then_validation(n, least):
    samples = with_splits(make(n, labels=labels(np.arange(n))))
    assert all(found[:3] == least for found in counts(samples).values())
    assert bool(samples.split_notes) == (n < 3)


def test_half_a_folder_with_places_is_split_by_them():
    lonlat = np.random.default_rng(0).uniform(0, 5, (400, 2))
    lonlat[:120] = np.nan
    samples = with_splits(make(400, labels=labels(np.arange(400) % 2), lonlat=lonlat))
    assert kinds(samples) == {"block-0.1deg"}


def test_mostly_without_places_is_not_called_spatial():
    lonlat = np.full((400, 2), np.nan)
    lonlat[:100] = np.random.default_rng(0).uniform(0, 5, (100, 2))
    samples = with_splits(make(400, labels=labels(np.arange(400) % 2), lonlat=lonlat))
    assert kinds(samples) == {"stratified"}
    assert "100 of 400 samples have a known place" in samples.split_notes["stratified-0"]


def test_overlapping_chips_among_many_without_a_place_do_not_part():
    columns = in_utm(np.repeat(np.arange(30) * 5000.0, 3), np.zeros(90))
    unknown = {"bbox": np.full((210, 4), np.nan), "lonlat": np.full((210, 2), np.nan)}
    unknown["crs"] = np.full(210, "", dtype=object)
    both = {name: np.concatenate([columns[name], unknown[name]]) for name in columns}
    samples = with_splits(make(300, labels=labels(np.arange(300) // 3 % 4), **both))
    assert kinds(samples) == {"group"}
    assert [parted(samples, scheme) for scheme in SCHEMES] == [0] * 5
    for scheme in SCHEMES:
        np.testing.assert_allclose(shares(samples.splits[scheme]), [0.6, 0.2, 0.2], atol=0.03)


@st.composite
def layouts(draw):
    """Places in clusters, classes that may follow them, groups, chips that may overlap."""
    n = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_classes, n_clusters = draw(st.integers(1, 6)), draw(st.integers(1, 8))
    cluster = rng.integers(0, n_clusters, n)
    codes = cluster % n_classes if draw(st.booleans()) else rng.integers(0, n_classes, n)
    step = draw(st.sampled_from([0.0, 100.0, 640.0, 5_000.0, 50_000.0]))
    spread = draw(st.sampled_from([0.0, 64.0, 1_000.0, 20_000.0]))
    x, y = cluster * step + rng.uniform(0, 1, n) * spread, rng.uniform(0, 1, n) * spread
    columns = in_utm(x, y) if draw(st.booleans()) else {}
    if columns and draw(st.booleans()):
        lost = rng.random(n) < draw(st.sampled_from([0.3, 0.8]))
        columns["lonlat"][lost], columns["bbox"][lost], columns["crs"][lost] = np.nan, np.nan, ""
    if draw(st.booleans()) and not columns:
        columns["group"] = np.array([f"g{c}" for c in cluster], dtype=object)
    if draw(st.booleans()):
        many = (rng.random((n, n_classes)) < 0.3).astype(np.int8)
        own = {"m": LabelSet(classes=tuple(map(str, range(n_classes))), codes=many)}
    else:
        own = {
            "c": LabelSet(classes=tuple(map(str, range(n_classes))), codes=codes.astype(np.int32))
        }
    return make(n, labels=own, **columns)


@settings(max_examples=100)
@given(layouts())
@example(make(5))
def test_no_scheme_is_degenerate_unless_its_note_says_why(samples):
    drawn = with_splits(samples)
    for alias, name in drawn.aliases.items():
        split = drawn.splits[alias]
        assert set(split) <= {0, 1, 2, 3}
        if len(samples) < 3:
            assert (
                "would leave a split empty: these samples allow no better"
                in drawn.split_notes[name]
            )
            continue
        assert (np.bincount(split, minlength=3)[:3] > 0).all()
        for own in samples.labels.values():
            held = class_counts(own.codes, split, len(own.classes))
            assert (held[0][held.sum(axis=0) >= 3] > 0).all()


@settings(max_examples=60)
@given(layouts())
def test_chips_that_overlap_part_only_where_the_note_says_so(samples):
    drawn = with_splits(samples)
    for alias, name in drawn.aliases.items():
        is_told = "chips that overlap stand" in drawn.split_notes.get(name, "")
        if samples.bbox is not None and not is_told:
            assert parted(drawn, alias) == 0


@settings(max_examples=60)
@given(layouts())
def test_a_scheme_keeps_apart_what_its_name_says(samples):
    drawn = with_splits(samples)
    for name in drawn.aliases.values():
        if name.startswith("group") and samples.group is not None:
            split = drawn.splits[name]
            assert all(len(set(split[samples.group == g])) == 1 for g in set(samples.group))


OFF = [(200.0, 10.0), (20.0, 95.0), (-181.0, 0.0), (5.0e6, 5.0e6), (0.0, np.inf)]


@pytest.mark.parametrize("place", OFF, ids=str)
def test_places_off_the_globe_are_none(place):
    """Before, blocks were drawn from them."""
    lonlat = np.array([place] * 60) + np.stack([np.arange(60) * 0.01, np.zeros(60)], axis=1)
    samples = with_splits(make(60, labels=labels(np.arange(60) % 3), lonlat=lonlat))
    assert kinds(samples) == {"stratified"}
    assert np.isnan(samples.lonlat).all()
    assert "60 of 60 samples bear a longitude outside" in samples.notes[0]
    assert "the first is 's0': they have no place" in samples.notes[0]


def test_a_place_off_the_globe_is_none_beside_published_splits_too():
    lonlat = np.array([[200.0, 0.0], [180.0, 90.0], [np.nan, np.nan]])
    published = {"official": np.array([0, 1, 2], dtype=np.int8)}
    samples = with_splits(make(3, splits=published, lonlat=lonlat))
    np.testing.assert_array_equal(samples.lonlat, [[np.nan] * 2, [180, 90], [np.nan] * 2])
    assert "1 of 3 samples" in samples.notes[0]


@pytest.mark.parametrize(("lon", "lat"), [(np.arange(60) * 6 - 180, 90), (np.arange(60) * 3, -90)])
def test_a_pole_is_one_place_whatever_the_longitude(lon, lat):
    lonlat = np.stack([np.asarray(lon, float), np.full(60, float(lat))], axis=1)
    samples = with_splits(make(60, labels=labels(np.arange(60) % 3), lonlat=lonlat))
    assert kinds(samples) == {"stratified"}
    assert "places are not kept apart" in samples.split_notes["stratified-0"]
    np.testing.assert_array_equal(samples.lonlat, lonlat)


def test_both_names_of_the_antimeridian_are_one_place():
    lonlat = np.stack([np.tile([-180.0, 180.0], 60), np.repeat(np.arange(60.0), 2)], axis=1)
    samples = with_splits(make(120, labels=labels(np.arange(120) % 3), lonlat=lonlat))
    for split in samples.splits.values():
        np.testing.assert_array_equal(split[::2], split[1::2])
