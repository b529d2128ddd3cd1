import pickle

import pytest

from featbank import errors

FAMILY = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.FeatbankError)
]


@pytest.mark.parametrize("kind", FAMILY)
def test_every_error_has_the_one_form(kind):
    error = kind("a.tif", "is cut short", "a whole file", "Replace it.")
    assert str(error) == "a.tif: is cut short; expected a whole file. Replace it."


@pytest.mark.parametrize("kind", FAMILY)
def test_every_error_survives_a_process_boundary(kind):
    error = kind("a.tif", "is cut short", "a whole file", "Replace it.")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize("kind", FAMILY[1:])
def test_every_error_refines_a_builtin(kind):
    builtins = (LookupError, MemoryError, OSError, ValueError)
    assert issubclass(kind, builtins)


def test_wrong_usage_exits_with_2():
    assert errors.UsageError.exit_code == 2
