import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from featbank.stages.embed.row_matching import matched_rows


@st.composite
def renamings(draw):
    n = draw(st.integers(1, 12))
    digests = np.array(draw(st.lists(st.sampled_from("abc"), min_size=n, max_size=n)))
    names = st.lists(st.integers(0, 20).map(str), min_size=n, max_size=n, unique=True)
    order = np.array(draw(st.permutations(range(n))), dtype=int)
    return digests, np.array(draw(names)), digests[order], np.array(draw(names))


@given(renamings())
def test_each_row_gets_a_sample_of_its_content_and_each_sample_one_row(case):
    digests, ids, kept_digests, kept_ids = case
    rows = matched_rows(digests, ids, kept_digests=kept_digests, kept_ids=kept_ids)
    assert sorted(rows) == list(range(len(ids)))
    assert digests[rows].tolist() == kept_digests.tolist()


@given(renamings())
def test_a_row_whose_id_is_still_of_its_content_keeps_it(case):
    digests, ids, kept_digests, kept_ids = case
    rows = matched_rows(digests, ids, kept_digests=kept_digests, kept_ids=kept_ids)
    now = set(zip(digests, ids, strict=True))
    for row, pair in enumerate(zip(kept_digests, kept_ids, strict=True)):
        if pair in now:
            assert ids[rows[row]] == pair[1]


@given(renamings())
def test_further_rows_of_one_content_follow_in_order_of_id(case):
    digests, ids, kept_digests, kept_ids = case
    rows = matched_rows(digests, ids, kept_digests=kept_digests, kept_ids=kept_ids)
    for content in set(digests):
        moved = [
            (kept_ids[row], ids[rows[row]])
            for row in range(len(ids))
            if kept_digests[row] == content and kept_ids[row] != ids[rows[row]]
        ]
        moved.sort()
        assert [new for _, new in moved] == sorted(new for _, new in moved)


def test_hundreds_of_rows_in_two_sorted_runs_are_matched():
    # NumPy's own sort of variable-length strings dies on these.
    before = np.array([f"A/{i:03d}" for i in range(200)], dtype=object)
    after = np.array([f"A/{i:03d}" for i in range(100)] + [f"Z/{i:03d}" for i in range(100)])
    digests = np.array([f"{i:064x}" for i in range(200)], dtype=object)
    rows = matched_rows(digests, after, kept_digests=digests[::-1], kept_ids=before[::-1])
    assert rows.tolist() == list(range(200))[::-1]
