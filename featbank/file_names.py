"""Names of files as text that every file format holds, reversible where a name is not UTF-8."""

from __future__ import annotations

import re
from pathlib import Path

from featbank.shown import shown

# Python gives each byte that is not UTF-8 as a surrogate of its own (PEP 383), which no UTF-8
# encoder takes.
_BYTES = re.compile("[\udc80-\udcff]")
_LOOKS_ESCAPED = re.compile(r"\\x[0-9a-f]{2}")
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|\\)")


def as_text(name: str) -> str:
    r"""A file's name or path as text that can be printed and stored.

    A name that is UTF-8 is its own text. Of another, each byte that is not UTF-8 becomes a
    backslash, ``x`` and two hexadecimal digits, and a backslash becomes two; so does a name that
    would read like that, and no two names share a text.

    Args:
        name: As ``os.listdir`` gives it.

    Example:
        >>> import os
        >>> as_text("Forêt"), as_text(os.fsdecode(b"For\xeat")), as_text(r"a\xea")
        ('Forêt', 'For\\xeat', 'a\\\\xea')
    """
    if not _BYTES.search(name) and not _LOOKS_ESCAPED.search(name):
        return name
    return _spelled(name.replace("\\", "\\\\"))


def folder_name(path: str | Path) -> str:
    """What a folder is called, as text, by whatever path it is named."""
    return as_text(Path(path).resolve().name)


def printable(text: str) -> str:
    r"""A text about files on one line that any terminal takes; for messages, not for ids.

    Bytes of names that are not UTF-8 are spelled in hexadecimal digits, control characters as
    ``shown`` spells them.

    Example:
        >>> import os
        >>> printable(os.fsdecode(b"For\xeat\n.png: starts with b'\\xff'"))
        "For\\xeat\\n.png: starts with b'\\xff'"
    """
    return shown(_spelled(text))


def _spelled(text: str) -> str:
    return _BYTES.sub(lambda byte: f"\\x{ord(byte.group()) - 0xDC00:02x}", text)


def from_text(text: str) -> str:
    r"""The name that a text stands for, as ``os`` takes it.

    Example:
        >>> import os
        >>> os.fsencode(from_text(as_text(os.fsdecode(b"For\xeat"))))
        b'For\xeat'
    """
    if not _LOOKS_ESCAPED.search(text):
        return text
    return _ESCAPE.sub(
        lambda m: chr(0xDC00 + int(m.group(1), 16)) if m.group(1) is not None else "\\", text
    )
