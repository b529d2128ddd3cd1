"""Catalogs: read-only mappings from names to records, read from modules and entry points."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, TypeVar

from featbank.errors import CatalogError, UnknownNameError

if TYPE_CHECKING:
    from types import ModuleType


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """The name that users type."""


RecordT = TypeVar("RecordT", bound=Named)


def suggest(name: str, known: Iterable[str]) -> str:
    """A sentence that offers the nearest known name, and never takes it.

    Example:
        >>> suggest("vit-tinny", ["vit-tiny", "rcf"])
        "Did you mean 'vit-tiny'?"
    """
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean '{near[0]}'?" if near else "Check the spelling."


class Catalog(Mapping[str, RecordT]):
    """A room's records by name; adding an entry is adding one module with ``SPECS = (...)``.

    Third parties add entries through Python entry points whose group is the package's name
    (``featbank.backbones``) and whose value is a module of the same shape. Nothing is imported
    before the first look-up.

    Args:
        package: Import path of the room, such as ``featbank.backbones``.
        kind: Singular noun for messages, such as ``model``.
        record: Class that every entry must be an instance of.
    """

    def __init__(self, package: str, *, kind: str, record: type[RecordT]) -> None:
        self._package = package
        self._kind = kind
        self._record = record
        self._entries: dict[str, RecordT] | None = None

    def __getitem__(self, name: str) -> RecordT:
        entries = self._read()
        if name not in entries:
            raise UnknownNameError(
                str(name),
                f"no {self._kind} has this name",
                f"one of {', '.join(entries)}",
                suggest(str(name), entries),
            )
        return entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def _read(self) -> dict[str, RecordT]:
        if self._entries is None:
            entries: dict[str, RecordT] = {}
            for module in (*self._own_modules(), *self._foreign_modules()):
                for spec in getattr(module, "SPECS", ()):
                    self._add(entries, spec, module.__name__)
            self._entries = entries
        return self._entries

    def _own_modules(self) -> Iterator[ModuleType]:
        package = importlib.import_module(self._package)
        # An underscore marks machinery that may be heavy to import and declares nothing; a package
        # inside is a catalog of its own.
        modules = pkgutil.iter_modules(package.__path__)
        found = (info.name for info in modules if not info.ispkg)
        names = sorted(name for name in found if not name.startswith("_"))
        return (importlib.import_module(f"{self._package}.{name}") for name in names)

    def _foreign_modules(self) -> Iterator[ModuleType]:
        points = sorted(entry_points(group=self._package), key=lambda point: point.name)
        for point in points:
            try:
                yield point.load()
            except ImportError as error:
                raise CatalogError(
                    f"{point.group}:{point.name}",
                    f"its module '{point.value}' does not import ({error})",
                    "a module with SPECS",
                    "Repair or uninstall the package that declares this entry point.",
                ) from error

    def _add(self, entries: dict[str, RecordT], spec: object, origin: str) -> None:
        if not isinstance(spec, self._record):
            raise CatalogError(
                origin,
                f"SPECS holds a {type(spec).__name__}",
                self._record.__name__,
                "Correct the module's SPECS.",
            )
        if spec.name in entries:
            raise CatalogError(
                origin,
                f"the {self._kind} name '{spec.name}' is taken",
                "a name of its own",
                "Rename one of the two entries.",
            )
        entries[spec.name] = spec
