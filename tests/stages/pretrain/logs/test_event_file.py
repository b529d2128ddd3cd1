import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featbank.stages.pretrain.logs._event_file import (
    restart_record,
    scalars_record,
    version_record,
)
from featbank.stages.pretrain.logs.tensorboard import TensorBoardLog


def slow_crc32c(data):
    """Castagnoli's polynomial, one bit at a time."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def unmasked(field):
    rotated = (struct.unpack("<I", field)[0] - 0xA282EAD8) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


def records(content):
    """The records of a file, their checksums checked."""
    found = []
    while content:
        length = content[:8]
        assert unmasked(content[8:12]) == slow_crc32c(length)
        size = struct.unpack("<Q", length)[0]
        data, check = content[12 : 12 + size], content[12 + size : 16 + size]
        assert unmasked(check) == slow_crc32c(data)
        found.append(data)
        content = content[16 + size :]
    return found


def varint(data):
    number = shift = 0
    for place, byte in enumerate(data):
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return number, data[place + 1 :]
    raise AssertionError


def fields(data):
    """(number, value) of a protocol buffer."""
    found = []
    while data:
        key, data = varint(data)
        size = {1: 8, 5: 4}.get(key & 7)
        if key & 7 == 2:
            size, data = varint(data)
        if size is None:
            value, data = varint(data)
        else:
            value, data = data[:size], data[size:]
        found.append((key >> 3, value))
    return found


@given(step=st.integers(0, 1 << 40), value=st.floats(width=32, allow_nan=False))
def test_a_scalar_comes_back(step, value):
    (data,) = records(scalars_record(2.5, step, {"loss/pixels": value}))
    event = dict(fields(data))
    (summary,) = [fields(part) for number, part in fields(event[5]) if number == 1]
    assert struct.unpack("<d", event[1])[0] == 2.5
    assert event[2] == step
    assert dict(summary)[1] == b"loss/pixels"
    assert struct.unpack("<f", dict(summary)[2])[0] == value


def test_a_file_says_its_version_first():
    (data,) = records(version_record(1.0))
    assert dict(fields(data))[3] == b"brain.Event:2"


def test_a_restart_says_from_which_step_on():
    (data,) = records(restart_record(1.0, 300))
    event = dict(fields(data))
    assert (event[2], fields(event[7])) == (300, [(1, 1)])


def test_all_rows_of_a_run_stand_in_one_file(tmp_path):
    log = TensorBoardLog(tmp_path, 0)
    for step in range(3):
        log.write({"step": step, "loss": 1.0, "lr": 0.5})
    log.close()
    (path,) = tmp_path.iterdir()
    assert len(records(path.read_bytes())) == 1 + 3


def test_a_damaged_record_is_seen():
    content = bytearray(version_record(1.0))
    content[14] ^= 1
    with pytest.raises(AssertionError):
        records(bytes(content))
