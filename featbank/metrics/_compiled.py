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
        result: R = _machine_code(loop)(*args, **kwargs)
        return result

    return call


@cache
def _machine_code(loop: Callable[..., Any]) -> Callable[..., Any]:
    import numba

    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        code: Callable[..., Any] = numba.njit(cache=True, **options)(loop)
    except RuntimeError:  # no folder to keep it in can be written
        code = numba.njit(**options)(loop)
    return code
