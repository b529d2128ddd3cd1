import shutil
import struct
import tracemalloc

import pytest

from featbank.errors import StoreError
from featbank.store.stored import stored_values

MANY = 1 << 26


@pytest.fixture(params=["commit", "sample_id"])
def overfull(request, finished, tmp_path):
    """A store whose first chunk of texts (bare, or within a shard) says that it holds millions."""
    copy = shutil.copytree(finished, tmp_path / "copy.zarr")
    file = copy / request.param / "c" / "0"
    data = bytearray(file.read_bytes())
    struct.pack_into("<I", data, 0, MANY)
    file.write_bytes(data)
    return copy, request.param


def test_a_chunk_that_says_it_holds_millions_of_texts_is_damaged(overfull):
    with pytest.raises(StoreError, match="does not read"):
        stored_values(*overfull)


def test_no_room_is_made_for_texts_that_are_not_there(overfull):
    tracemalloc.start()
    with pytest.raises(StoreError):
        stored_values(*overfull)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MANY


def test_texts_read_back(finished):
    assert stored_values(finished, "sample_id")[3] == "chip-003-é"
