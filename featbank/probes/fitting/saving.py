"""A fitted classifier as arrays and plain records, and back: nothing that runs code on loading."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.errors import CatalogError, ProbeError
from featbank.probes import PROBES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.image import Array
    from featbank.probes import Classifier

    Arrays = dict[str, Array]
    Node = dict[str, Any]

# What the safetensors format holds of NumPy's types.
_KINDS = "biuf"
_NOT_HELD = ("float128", "longdouble")
_BETWEEN = "/"


def as_saved(classifier: Classifier) -> tuple[Arrays, dict[str, Any]]:
    """What a fitted classifier consists of.

    Its fitted state are the attributes whose names end with an underscore: arrays, numbers, texts,
    None, and mappings and sequences of them. Attributes that begin with an underscore are not kept:
    they may only hold what can be found again.

    Args:
        classifier: Fitted, of a probe in the catalog.

    Returns:
        Arrays by name, and a record for JSON that says what they are and holds all else. Both
        together give an equal classifier, whose arrays lie in memory in the same order, so that
        its probabilities are equal bit by bit.

    Raises:
        CatalogError: An attribute holds something else, such as another library's estimator.
    """
    arrays: Arrays = {}
    params = _params(classifier)
    fitted = {}
    for name, value in vars(classifier).items():
        if name.endswith("_") and not name.startswith("_"):
            fitted[name] = _node(value, name, arrays, type(classifier).__name__)
    record = {"class": type(classifier).__name__, "params": params, "fitted": fitted}
    return arrays, record


def from_saved(
    record: Mapping[str, Any], arrays: Mapping[str, Array], *, probe: str, subject: str
) -> Classifier:
    """The classifier that ``as_saved`` was given.

    Args:
        record: Its record.
        arrays: Its arrays.
        probe: Name in the probes catalog.
        subject: What is read, for messages.

    Raises:
        UnknownNameError: No probe has this name.
        ProbeError: The record or the arrays are not those of this probe.
    """
    spec = PROBES[probe]
    classifier = spec.build(dict(spec.defaults), 0)
    try:
        _restore(classifier, record, dict(arrays))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise ProbeError(
            subject,
            f"does not hold a {probe} probe ({_in_words(error)})",
            "a probe as 'featbank probe --save' of this version writes it",
            "Fit and save it again.",
        ) from error
    return classifier


def _restore(classifier: Any, record: Mapping[str, Any], left: Arrays) -> None:  # noqa: ANN401
    if record["class"] != type(classifier).__name__:
        raise ValueError(f"it is of class {record['class']}")
    classifier.set_params(**{name: _tuples(v) for name, v in record["params"].items()})
    for name, node in record["fitted"].items():
        if not name.endswith("_") or name.startswith("_"):
            raise ValueError(f"'{name}' is no fitted attribute")
        setattr(classifier, name, _value(node, name, left))
    if left:
        raise ValueError(f"array '{min(left)}' is in no record")


def _params(classifier: Any) -> dict[str, Any]:  # noqa: ANN401 - a scikit-learn estimator
    return {name: _plain(value) for name, value in classifier.get_params(deep=False).items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _tuples(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """JSON knows lists alone; parameters such as columns are tuples, which compare and hash."""
    return tuple(_tuples(inner) for inner in value) if isinstance(value, list) else value


def _node(value: Any, path: str, arrays: Arrays, owner: str) -> Node:  # noqa: ANN401 - any state
    if isinstance(value, np.ndarray) and value.dtype.kind in "OUT":
        texts = value.tolist()
        if value.ndim == 1 and all(isinstance(text, str) for text in texts):
            return {"kind": "texts", "values": texts}
    elif isinstance(value, np.ndarray) and _is_held(value):
        return _array_node(value, path, arrays)
    elif isinstance(value, dict) and all(isinstance(name, str) for name in value):
        inner = {k: _node(v, f"{path}{_BETWEEN}{k}", arrays, owner) for k, v in value.items()}
        return {"kind": "mapping", "items": inner}
    elif isinstance(value, list | tuple):
        nodes = [_node(v, f"{path}{_BETWEEN}{i}", arrays, owner) for i, v in enumerate(value)]
        return {"kind": type(value).__name__, "items": nodes}
    elif isinstance(value, np.generic | bool | int | float | str | None):
        return _number_node(value.item() if isinstance(value, np.generic) else value)
    raise CatalogError(
        f"{owner}.{path}",
        f"its fitted state is a {type(value).__module__}.{type(value).__name__}",
        "arrays, numbers, texts, and mappings of them, which can be kept without pickle",
        "This is a fault of the probe, not of its user: report it, or leave --save out.",
    )


def _is_held(value: Array) -> bool:
    return value.dtype.kind in _KINDS and value.dtype.name not in _NOT_HELD


def _array_node(value: Array, path: str, arrays: Arrays) -> Node:
    if path in arrays:
        raise CatalogError(path, "two arrays of a probe have this name", "one", "Rename one.")
    # The order in memory decides in which order a matrix product adds up.
    is_turned = value.flags.f_contiguous and not value.flags.c_contiguous
    kept = np.ascontiguousarray(value.T if is_turned else value)
    arrays[path] = kept.reshape(kept.shape if value.ndim else ())
    return {
        "kind": "array",
        "dtype": value.dtype.name,
        "shape": list(value.shape),
        "order": "F" if is_turned else "C",
    }


def _number_node(value: float | str | None) -> Node:
    if isinstance(value, float) and not math.isfinite(value):
        return {"kind": "float", "value": str(value)}
    return {"kind": "value", "value": value}


def _value(node: Node, path: str, left: Arrays) -> Any:  # noqa: ANN401 - any state
    kind = node["kind"]
    if kind == "array":
        return _array(node, path, left)
    if kind == "texts":
        return np.array(node["values"], dtype=object)
    if kind == "mapping":
        items = node["items"].items()
        return {name: _value(inner, f"{path}{_BETWEEN}{name}", left) for name, inner in items}
    if kind in ("list", "tuple"):
        found = [_value(v, f"{path}{_BETWEEN}{i}", left) for i, v in enumerate(node["items"])]
        return tuple(found) if kind == "tuple" else found
    if kind == "float":
        return float(node["value"])
    if kind == "value":
        return node["value"]
    raise ValueError(f"'{path}' is of kind '{kind}'")


def _array(node: Node, path: str, left: Arrays) -> Array:
    if path not in left:
        raise ValueError(f"array '{path}' is missing")
    found, shape = left.pop(path), tuple(node["shape"])
    is_turned = node["order"] == "F"
    kept = (node["dtype"], shape[::-1] if is_turned else shape)
    if (found.dtype.name, found.shape) != kept:
        words = f"{found.dtype.name} {found.shape} in place of {kept[0]} {kept[1]}"
        raise ValueError(f"array '{path}' is {words}")
    # A copy of its own: what a file gives may be read-only and stand at an odd address.
    owned: Array = np.array(found, order="C")
    return owned.T if is_turned else owned


def _in_words(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"'{error.args[0]}' is missing"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
