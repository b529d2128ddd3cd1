"""CORINE Land Cover as BigEarthNet uses it: 43 classes, 19 merged ones, and their map codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.catalog import suggest
from featbank.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_AGRICULTURE = (
    "Land principally occupied by agriculture, with significant areas of natural vegetation"
)
_GRASSLAND = "Natural grassland and sparsely vegetated areas"
_MOORS = "Moors, heathland and sclerophyllous vegetation"

# Level-3 code, level-3 class, class of the nomenclature of 19 classes ('' where it has none).
# Sumbul et al. 2021, BigEarthNet-MM (arXiv:2105.07921), table 1; level-3 code 335 (glaciers) does
# not occur. Merged classes are named, never numbered: an index into a sorted list is another map.
_CLASSES = (
    (111, "Continuous urban fabric", "Urban fabric"),
    (112, "Discontinuous urban fabric", "Urban fabric"),
    (121, "Industrial or commercial units", "Industrial or commercial units"),
    (122, "Road and rail networks and associated land", ""),
    (123, "Port areas", ""),
    (124, "Airports", ""),
    (131, "Mineral extraction sites", ""),
    (132, "Dump sites", ""),
    (133, "Construction sites", ""),
    (141, "Green urban areas", ""),
    (142, "Sport and leisure facilities", ""),
    (211, "Non-irrigated arable land", "Arable land"),
    (212, "Permanently irrigated land", "Arable land"),
    (213, "Rice fields", "Arable land"),
    (221, "Vineyards", "Permanent crops"),
    (222, "Fruit trees and berry plantations", "Permanent crops"),
    (223, "Olive groves", "Permanent crops"),
    (231, "Pastures", "Pastures"),
    (241, "Annual crops associated with permanent crops", "Permanent crops"),
    (242, "Complex cultivation patterns", "Complex cultivation patterns"),
    (243, _AGRICULTURE, _AGRICULTURE),
    (244, "Agro-forestry areas", "Agro-forestry areas"),
    (311, "Broad-leaved forest", "Broad-leaved forest"),
    (312, "Coniferous forest", "Coniferous forest"),
    (313, "Mixed forest", "Mixed forest"),
    (321, "Natural grassland", _GRASSLAND),
    (322, "Moors and heathland", _MOORS),
    (323, "Sclerophyllous vegetation", _MOORS),
    (324, "Transitional woodland/shrub", "Transitional woodland, shrub"),
    (331, "Beaches, dunes, sands", "Beaches, dunes, sands"),
    (332, "Bare rock", ""),
    (333, "Sparsely vegetated areas", _GRASSLAND),
    (334, "Burnt areas", ""),
    (411, "Inland marshes", "Inland wetlands"),
    (412, "Peatbogs", "Inland wetlands"),
    (421, "Salt marshes", "Coastal wetlands"),
    (422, "Salines", "Coastal wetlands"),
    (423, "Intertidal flats", ""),
    (511, "Water courses", "Inland waters"),
    (512, "Water bodies", "Inland waters"),
    (521, "Coastal lagoons", "Marine waters"),
    (522, "Estuaries", "Marine waters"),
    (523, "Sea and ocean", "Marine waters"),
)
CLASSES_43 = tuple(name for _, name, _ in _CLASSES)
# Order of the publisher's label files, not alphabetical.
CLASSES_19 = (
    "Urban fabric",
    "Industrial or commercial units",
    "Arable land",
    "Permanent crops",
    "Pastures",
    "Complex cultivation patterns",
    _AGRICULTURE,
    "Agro-forestry areas",
    "Broad-leaved forest",
    "Coniferous forest",
    "Mixed forest",
    _GRASSLAND,
    _MOORS,
    "Transitional woodland, shrub",
    "Beaches, dunes, sands",
    "Inland wetlands",
    "Coastal wetlands",
    "Inland waters",
    "Marine waters",
)
_INDEX_43 = {name: index for index, name in enumerate(CLASSES_43)}
# Codes stand below 999, which the maps use for unlabelled land.
_LAST_CODE = 999


def indices_43(names: Iterable[str], *, source: str) -> list[int]:
    """Indices of level-3 classes.

    Args:
        names: Class names as the publisher writes them.
        source: File that holds them, for messages.

    Raises:
        DatasetError: A name outside the nomenclature.
    """
    try:
        return [_INDEX_43[name] for name in names]
    except KeyError as error:
        raise unknown_class(str(error.args[0]), CLASSES_43, source) from None


def unknown_class(name: str, known: tuple[str, ...], source: str) -> DatasetError:
    """The error for a label outside its nomenclature."""
    return DatasetError(
        source,
        f"holds the label '{name}'",
        f"one of the {len(known)} classes of its nomenclature",
        suggest(name, known),
    )


def merge_to_19(codes: NDArray[np.int8]) -> NDArray[np.int8]:
    """(N, 43) level-3 labels to (N, 19) merged ones; classes without a counterpart fall away."""
    table = np.zeros((len(CLASSES_43), len(CLASSES_19)), dtype=np.float32)
    for index, (_, _, merged) in enumerate(_CLASSES):
        if merged:
            table[index, CLASSES_19.index(merged)] = 1
    return (codes.astype(np.float32) @ table > 0).astype(np.int8)


def map_to_19(pixels: NDArray[Any]) -> NDArray[np.int16]:
    """Level-3 codes of a map to indices of the 19 classes, -1 for all other codes."""
    table = np.full(_LAST_CODE + 1, -1, dtype=np.int16)
    for code, _, merged in _CLASSES:
        if merged:
            table[code] = CLASSES_19.index(merged)
    classes: NDArray[np.int16] = table[np.minimum(pixels, _LAST_CODE)]
    return classes
