"""Text that anyone may have written, made safe to look at: no control character acts."""

from __future__ import annotations

import re

# C0 and C1 controls with DEL (ECMA-48), the line and paragraph separators, and what turns the
# direction of text about (Unicode 16, UAX 9: marks, embeddings, overrides, isolates); halves of
# surrogate pairs, which stand for the bytes of names that are no UTF-8 (PEP 383); the three code
# points that XML 1.0 forbids beyond these.
_ACTING = (
    "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff"
)
_ANY = re.compile(f"[{_ACTING}]")
# What may not stand in a coded text as it is: what acts, and what would be taken for a code.
_CODED = re.compile(rf"[{_ACTING}]|\\(?=x[0-9a-f]{{2}}|u[0-9a-f]{{4}})")
_CODE = re.compile(r"\\x[0-9a-f]{2}|\\u[0-9a-f]{4}")
_BUT_LINES = re.compile(f"(?!\n)[{_ACTING}]")


def shown(text: str, *, keeps_lines: bool = False) -> str:
    r"""Text in which every control character is written out, and nothing else changes.

    Args:
        text: Any text: an id, a class, a file's name, a message that names them.
        keeps_lines: Whether the ends of lines stay what they are.

    Returns:
        The text with ``\x1b`` for an escape, ``\n`` for the end of a line, ``\u202e`` for what
        turns text about, ``\udcff`` for a byte that is no UTF-8.

    Example:
        >>> shown("Forest\x1b[2J\n")
        'Forest\\x1b[2J\\n'
        >>> shown("two\nlines", keeps_lines=True)
        'two\nlines'
    """
    acting = _BUT_LINES if keeps_lines else _ANY
    return acting.sub(lambda found: _written(found.group()), text)


def coded(text: str) -> str:
    r"""Text in which every control character is written out so that ``decoded`` gives it again.

    Args:
        text: Any text. Without control characters, and without what looks like one written out, it
            stays as it is.

    Example:
        >>> coded("a\rb"), coded("a\\b"), coded("a\\x0db")
        ('a\\x0db', 'a\\b', 'a\\x5cx0db')
    """
    return _CODED.sub(lambda found: _code_of(ord(found.group())), text)


def decoded(text: str) -> str:
    """The text that ``coded`` wrote so."""
    return _CODE.sub(lambda found: chr(int(found.group()[2:], 16)), text)


def _code_of(number: int) -> str:
    return f"\\x{number:02x}" if number <= 0xFF else f"\\u{number:04x}"


def _written(sign: str) -> str:
    return (
        sign.encode("ascii", "backslashreplace").decode() if ord(sign) > 0x7F else repr(sign)[1:-1]
    )
