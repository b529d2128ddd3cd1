"""What state a store is in: whose recipe it has, and whether it is finished."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.errors import MissingPathError, StoreError, UnfinishedStoreError
from featbank.recipes.recipe import canonical_json
from featbank.store.schema import COMMIT, MIGRATIONS, READ_VERSIONS, SCHEMA_VERSION
from featbank.store.stored import damaged, read_document, require_kinds, stored_array, stored_values

if TYPE_CHECKING:
    from pathlib import Path

    from featbank.recipes.recipe import Recipe


def metadata(path: Path) -> dict[str, Any]:
    """The group's own metadata document.

    Raises:
        MissingPathError: There is no store at this path.
        StoreError: It was written by a newer featbank, is damaged, or is no store of features.
    """
    document = path / "zarr.json"
    if not document.is_file():
        raise MissingPathError(
            str(path),
            "there is no store here",
            "the path of a store, ending in .zarr",
            "List the stores with 'featbank stores'.",
        )
    content = read_document(document)
    version = content["attributes"].get("schema_version")
    if version not in READ_VERSIONS:
        raise _other_version(path, version)
    require_kinds(content, document)
    return content


def _other_version(path: Path, version: object) -> StoreError:
    if isinstance(version, int) and version > SCHEMA_VERSION:
        return StoreError(
            str(path),
            f"its schema version is {version}, that of a newer featbank",
            f"version {SCHEMA_VERSION} or lower, which this featbank reads",
            "Use the featbank that wrote it, or a newer one.",
        )
    way_out = MIGRATIONS.get(version) if isinstance(version, int) else None
    return StoreError(
        str(path),
        f"its schema version is {version}",
        f"a store of features, of version {READ_VERSIONS[0]} to {SCHEMA_VERSION}",
        way_out or "Check the path, or embed again.",
    )


def is_finished(path: Path) -> bool:
    """Whether every shard is committed and the consolidated metadata stands."""
    done, shards = committed(path)
    return done == shards and bool(metadata(path).get("consolidated_metadata"))


def require_whole(path: Path) -> None:
    """Raise where a file of a finished store is gone, as an interrupted copy leaves it.

    Raises:
        StoreError: Names the first.
    """
    held = metadata(path)["consolidated_metadata"]
    arrays = held.get("metadata") if isinstance(held, dict) else None
    if not isinstance(arrays, dict):
        raise damaged(path / "zarr.json", "tells no arrays")
    for name in arrays:
        stored_array(path, name)


def committed(path: Path) -> tuple[int, int]:
    """Number of committed shards, and of all shards."""
    commits = stored_values(path, COMMIT)
    return int((commits != "").sum()), len(commits)


def require_finished(path: Path) -> None:
    """Raise for a store whose embedding has not finished.

    Raises:
        UnfinishedStoreError: Names the command that finishes it.
    """
    content = metadata(path)
    if not is_finished(path):
        done, shards = committed(path)
        raise UnfinishedStoreError(
            str(path),
            f"{done} of {shards} shards are embedded",
            "a finished store",
            f"Finish it with '{content['attributes']['command']}'.",
        )


def check_same_recipe(path: Path, recipe: Recipe) -> None:
    """Raise where a path is taken by a store of another recipe.

    Raises:
        StoreError: The first eight digits of two recipes agree, and the rest does not.
    """
    if canonical_json(metadata(path)["attributes"]["recipe"]) != canonical_json(recipe):
        raise StoreError(
            str(path),
            "it holds features of another recipe",
            "a store of this very recipe",
            "Embed into another bank with --bank.",
        )
