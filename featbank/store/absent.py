"""A store that is gone, in the place of one that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from featbank.errors import MissingPathError
from featbank.store.reader import Store

if TYPE_CHECKING:
    from pathlib import Path


class AbsentStore(Store):
    """What results name after their store was removed: a path, whose reading fails by name.

    Args:
        path: Where the store was.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"<AbsentStore {self.path.name}>"

    @property
    def attributes(self) -> dict[str, Any]:
        """Fails.

        Raises:
            MissingPathError: Always.
        """
        self._refuse()

    @property
    def _group(self) -> NoReturn:  # type: ignore[override]
        self._refuse()

    def _open(self, name: str) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise MissingPathError(
            str(self.path),
            "the store is gone",
            "the store that the results name",
            "Embed it again, or draw what needs predictions alone.",
        )
