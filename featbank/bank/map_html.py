"""A map of features as a notebook shows it: a small drawing, its recipe, how far to believe it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.record_html import Html, fold_html, number_html, record_html, table_html

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from featbank.bank.maps import FeatureMap
    from featbank.image import Array

_SIDE_PX, _MARGIN_PX = 260, 6
_POINTS = 3_000  # dots that the drawing holds in some 30 kB; every so many of the others


def map_html(found: FeatureMap) -> Html:
    """The map in HTML.

    Args:
        found: A map.
    """
    recipe = found.recipe
    facts = {
        "samples": _samples(found),
        "feature": recipe.get("feature"),
        "layer": recipe.get("layer"),
        "seed": recipe.get("seed"),
        "parameters": json.dumps(recipe.get("params", {}), sort_keys=True, default=str),
        "store": str(recipe.get("store", ""))[:12],
        "map": found.id[:12],
    }
    title = f"Map: {recipe.get('projection', 'features')} of {len(found):,} samples"
    parts = [_quality(found.quality)] if found.quality else []
    return record_html(title, facts, [*parts, _drawing(found.xy)])


def _samples(found: FeatureMap) -> str:
    fitted = int(found.is_fitted.sum())
    placed = "" if fitted == len(found) else f" ({fitted:,} fitted, the others placed)"
    return f"{len(found):,}{placed}"


def _quality(quality: Mapping[str, Any]) -> Html:
    rows = [(name, _value(value)) for name, value in _flat(quality)]
    return fold_html("how far to believe it", table_html(("measure", "value"), rows))


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        title = f"{above} {name}".strip()
        if isinstance(value, dict):
            yield from _flat(value, title)
        else:
            yield title, value


def _value(value: Any) -> object:  # noqa: ANN401 - whatever JSON holds
    return number_html(value) if isinstance(value, float) else value


def _drawing(xy: Array) -> Html:
    """Dots in the colour of the notebook's text."""
    finite = xy[np.isfinite(xy).all(axis=1)]
    if not len(finite):
        return Html()
    few = finite[:: -(-len(finite) // _POINTS)].astype(np.float64)
    low, spans = finite.min(axis=0), np.ptp(finite, axis=0)
    scale = (_SIDE_PX - 2 * _MARGIN_PX) / (spans.max() or 1.0)
    width, height = spans * scale + 2 * _MARGIN_PX
    placed = (few - low) * scale + _MARGIN_PX
    # The second axis points up on a map, and down in SVG.
    dots = "".join(f"M{x:.1f} {height - y:.1f}h0" for x, y in placed)
    return Html(
        f'<svg width="{width:.0f}" height="{height:.0f}" role="img" aria-label="map of samples">'
        f'<path d="{dots}" stroke="currentColor" stroke-opacity="0.45" stroke-width="3"'
        ' stroke-linecap="round" fill="none"/></svg>'
    )
