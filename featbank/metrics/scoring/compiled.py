"""Loops as machine code: compiled by Numba at their first call and kept on disk."""

from __future__ import annotations

from functools import cache, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def compiled(loop: Callable[P, R]) -> Callable[P, R]:
    """The same function as machine code; Numba is imported when it is first called.

    Compiled loops let other threads run meanwhile. They divide as NumPy does, without a check
    for zero, which would keep the processor from dividing several numbers at once.
    """

    @wraps(loop)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        result: R
        try:
            result = _machine_code(loop)(*args, **kwargs)
        except OSError:  # the disk that would keep it is full
            result = _translated(loop, keep=False)(*args, **kwargs)
        return result

    return call


@cache
def _machine_code(loop: Callable[..., Any]) -> Callable[..., Any]:
    try:
        return _translated(loop, keep=True)
    except RuntimeError:  # no folder to keep it in can be written
        return _translated(loop, keep=False)


def _translated(loop: Callable[..., Any], *, keep: bool) -> Callable[..., Any]:
    import numba

    code: Callable[..., Any] = numba.njit(cache=keep, nogil=True, error_model="numpy")(loop)
    return code
