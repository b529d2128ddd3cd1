"""Numbers of a page are packed without loss, the same bytes for the same content."""

import base64
import gzip
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from featbank.pages.report.packing import packed

KINDS = {"u1": np.uint8, "u2": np.dtype("<u2"), "u4": np.dtype("<u4")}


def unpacked(text):
    """An independent reader of the layout that the docstring tells."""
    data = gzip.decompress(base64.b64decode(text))
    length = int.from_bytes(data[:4], "little")
    header = json.loads(data[4 : 4 + length])
    found = {}
    for name, place in header.pop("arrays").items():
        start = 4 + length + place["start"]
        assert start % 4 == 0
        found[name] = np.frombuffer(data, KINDS[place["type"]], place["length"], start)
    return header, found


columns = st.dictionaries(
    st.text(max_size=4),
    st.sampled_from([np.uint8, np.uint16, np.uint32]).flatmap(
        lambda kind: arrays(kind, st.integers(0, 9))
    ),
    max_size=4,
)


@given(columns, st.dictionaries(st.text(), st.text()).filter(lambda d: "arrays" not in d))
def test_what_is_packed_comes_out_again(wanted, told):
    header, found = unpacked(packed(told, wanted))
    assert header == told
    assert {n: v.tolist() for n, v in found.items()} == {n: v.tolist() for n, v in wanted.items()}


def test_the_same_content_gives_the_same_text():
    one = {"xy": np.arange(7, dtype=np.uint16)}
    assert packed({"n": 7}, one) == packed({"n": 7}, one)
