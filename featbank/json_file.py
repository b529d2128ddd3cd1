"""JSON files that may be cut, empty, of another shape or from someone else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class DamagedJson(Exception):
    """What a file holds in place of the JSON object that was looked for, in words."""


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object of a file.

    Raises:
        DamagedJson: It holds something else; its text is the rest of a sentence.
        OSError: The file is missing, or the disk fails.
    """
    return parse_object(path.read_bytes())


def parse_object(data: bytes | str) -> dict[str, Any]:
    """The JSON object of some bytes.

    Raises:
        DamagedJson: They hold something else; its text is the rest of a sentence.
    """
    if not data.strip():
        raise DamagedJson("is empty")
    try:
        content = json.loads(data)
    except ValueError as error:
        raise DamagedJson(f"is cut short or damaged ({_first_line(error)})") from error
    except RecursionError as error:
        raise DamagedJson("is damaged (nested too deep)") from error
    if not isinstance(content, dict):
        raise DamagedJson(f"holds {_kind(content)} in place of an object")
    return content


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _kind(value: object) -> str:
    if value is None:
        return "null"
    kinds = {list: "a list", str: "a text", bool: "true or false"}
    return kinds.get(type(value), "a number")
