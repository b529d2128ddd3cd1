"""Centre wavelengths as a user gives them: a list, a range, or a file of them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from featbank.errors import UsageError

# No sensor's band lies at 100 µm or above but radar's, at centimetres, so that such numbers are
# nanometres, in which instruments list their bands.
_NM_FROM, _NM_TO = 100.0, 20_000.0
_NM_PER_UM = 1000.0
_RANGE = re.compile(r"([^:]+):([^:]+):([^:]+)")
# ENVI headers: ``wavelength = { 0.4, 0.5 }`` and ``wavelength units = Micrometers``.
_ENVI = re.compile(r"^\s*wavelength\s*=\s*\{([^}]*)\}", re.MULTILINE | re.IGNORECASE)
_ENVI_UNITS = re.compile(r"^\s*wavelength units\s*=\s*(\w+)", re.MULTILINE | re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s,;]+")
_MOST = 10_000


def parse_wavelengths(text: str) -> tuple[float, ...]:
    """Wavelengths in µm.

    Args:
        text: Numbers separated by commas; ``first:last:count``; or the path of a text file of
            numbers, a CSV file with a column whose name holds ``wavelength``, or an ENVI header.
            Numbers from 100 to 20,000 are nm, others µm.

    Raises:
        UsageError: It is none of these, or holds what is no wavelength.

    Example:
        >>> parse_wavelengths("490,560,665")
        (0.49, 0.56, 0.665)
        >>> parse_wavelengths("400:1000:3")
        (0.4, 0.7, 1.0)
    """
    if (found := _RANGE.fullmatch(text)) is not None and not Path(text).exists():
        return _spaced(text, *found.groups())
    if _is_file(text):
        return _of_file(text)
    return _in_um(_numbers(text, text.split(",")), text)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _spaced(text: str, first: str, last: str, count: str) -> tuple[float, ...]:
    low, high = _numbers(text, [first, last])
    if not count.strip().isdigit() or not 2 <= int(count) <= _MOST:
        raise _no_wavelengths(text, f"'{count}' is no count of bands")
    return _in_um([float(value) for value in np.linspace(low, high, int(count))], text)


def _of_file(path: str) -> tuple[float, ...]:
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise _no_wavelengths(path, f"cannot be read ({error})") from error
    envi = _ENVI.search(text)
    if envi is not None:
        values = _numbers(path, [part for part in _SEPARATORS.split(envi[1]) if part])
        units = _ENVI_UNITS.search(text)
        is_um = units is not None and units[1].lower().startswith("micro")
        return tuple(values) if is_um else _in_um(values, path)
    lines = [line.split("#", 1)[0].strip() for line in text.splitlines()]
    return _in_um(_of_lines(path, [line for line in lines if line]), path)


def _of_lines(path: str, lines: list[str]) -> list[float]:
    heads = [head.strip().lower() for head in re.split(r"[,;\t]", lines[0])] if lines else []
    named = [at for at, head in enumerate(heads) if "wavelength" in head]
    if named:
        cells = [re.split(r"[,;\t]", line) for line in lines[1:]]
        return _numbers(path, [row[named[0]] if len(row) > named[0] else "" for row in cells])
    return _numbers(path, [part for line in lines for part in _SEPARATORS.split(line) if part])


def _numbers(subject: str, parts: list[str]) -> list[float]:
    try:
        values = [float(part) for part in parts]
    except ValueError as error:
        bad = next(part for part in parts if not _is_number(part))
        raise _no_wavelengths(subject, f"'{bad.strip()[:40]}' is no number") from error
    if not values:
        raise _no_wavelengths(subject, "holds no number")
    return values


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _in_um(values: list[float], subject: str) -> tuple[float, ...]:
    bad = [value for value in values if not 0 < value < float("inf")]
    if bad:
        raise _no_wavelengths(subject, f"{bad[0]:g} is no wavelength")
    return tuple(
        round(value / _NM_PER_UM, 9) if _NM_FROM <= value <= _NM_TO else round(value, 9)
        for value in values
    )


def _no_wavelengths(subject: str, found: str) -> UsageError:
    return UsageError(
        f"--wavelengths {subject}",
        found,
        "numbers such as 0.49,0.56,0.665 (µm; from 100 on nm), a range such as 400:1000:369, or a "
        "file of them",
        "Correct --wavelengths.",
    )
