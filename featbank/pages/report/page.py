"""The page: tables, figures, map and origins in one template; chips as ten megabytes let them."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.lookup.baselines import BASELINES
from featbank.pages.paper_tables import paper_tables
from featbank.pages.report.columns import LEGEND_VALUES
from featbank.pages.report.drawings import draw_figures
from featbank.pages.report.glossary import glossary_of
from featbank.pages.report.packing import packed
from featbank.pages.report.points import Points, points_of
from featbank.pages.report.sprites import COLUMNS, LADDER, PER_SHEET, Sprites, sprites_within
from featbank.pages.report.sprites import thumbnails as draw_thumbnails
from featbank.pages.scatter import scatter_module
from featbank.pages.shades import SHADES, shade
from featbank.probes.protocols import PROTOCOLS
from featbank.shown import shown
from featbank.stages.map.faithfulness import belief

if TYPE_CHECKING:
    from collections.abc import Callable

    from featbank.pages.paper_tables import PaperTable
    from featbank.stages.report.content import ReportContent

    Progress = Callable[[int, int], None]

# What mail and repositories still take without asking.
BUDGET_BYTES = 10_000_000
# A page stays legible beyond some drawings of points; sheets keep at least this much.
_LEAST_FOR_SPRITES = 200_000


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page.

    Attributes:
        html: The whole file.
        figures: Figures in it.
        not_drawn: Why others are not.
        points: Points on its map.
        thumbnails: Points with a picture.
    """

    html: str
    figures: int
    not_drawn: tuple[str, ...]
    points: int
    thumbnails: int


def render_page(content: ReportContent, *, progress: Progress | None = None) -> Page:
    """Draw everything and put it together.

    Args:
        content: What the page says.
        progress: Is told thumbnails done and thumbnails in all.
    """
    tables = paper_tables(content.results, content.names, baselines=BASELINES)
    figures, not_drawn = draw_figures(content)
    points = points_of(content)
    values = _values(content, tables) | {"figures": figures, "not_drawn": not_drawn}
    values["sections"] = _sections(values)
    bare = _render(content, values, points, None, "")
    sprites, note = _sprites(content, points, BUDGET_BYTES - len(bare.encode()), progress)
    html = bare if points is None else _render(content, values, points, sprites, note)
    return Page(
        html=html,
        figures=len(figures),
        not_drawn=tuple(not_drawn),
        points=0 if points is None else len(points.rows),
        thumbnails=0 if sprites is None else len(sprites.rows),
    )


def _render(
    content: ReportContent,
    values: dict[str, Any],
    points: Points | None,
    sprites: Sprites | None,
    note: str,
) -> str:
    from jinja2 import Environment
    from markupsafe import Markup

    environment = Environment(autoescape=True, finalize=_plain)
    environment.filters["pretty"] = lambda value: json.dumps(value, indent=1, sort_keys=True)
    script = f"{scatter_module()}\n{_asset('page.js')}"
    css = _asset("page.css")
    filled = values | {
        "points": points is not None,
        "packed": Markup("" if points is None else _packed(points, sprites)),
        "sheets": [] if sprites is None else [Markup(sheet) for sheet in sprites.sheets],
        "map_told": _map_told(content, points),
        "picture_note": note,
        "css": Markup(css),
        "script": Markup(script),
        "policy": _policy(script),
    }
    return environment.from_string(_asset("page.html.j2")).render(content=content, **filled)


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a template prints
    """Text of names with its control characters written out; what is HTML already stays."""
    return shown(value, keeps_lines=True) if type(value) is str else value


def _asset(name: str) -> str:
    return files("featbank.pages.report").joinpath(name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """Nothing is fetched, and only our own script runs; figures bear their styles inline."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _packed(points: Points, sprites: Sprites | None) -> str:
    arrays = dict(points.arrays)
    if sprites is not None:
        place = np.zeros(len(points.rows), np.uint16)
        place[sprites.rows] = np.arange(1, len(sprites.rows) + 1)
        arrays["sprite"] = place
    side = 0 if sprites is None else sprites.side_px
    header = points.header | {
        "sprites": {"side": side, "columns": COLUMNS, "each": PER_SHEET},
        "colours": [shade(place) for place in range(SHADES)],
        "legend_values": LEGEND_VALUES,
    }
    return packed(header, arrays)


def _sprites(
    content: ReportContent, points: Points | None, budget: int, progress: Progress | None
) -> tuple[Sprites | None, str]:
    """Thumbnails that fit, and what the page says of them."""
    if points is None or content.subject is None or not len(points.rows):
        return None, ""
    wanted = min(content.options.thumbnails, len(points.rows))
    pictures = content.subject.pictures if wanted else None
    if not wanted:
        return None, "Points have no pictures: none were asked for."
    if pictures is None:
        return None, f"Points have no pictures: {content.subject.no_pictures}"
    # In a random order: where the budget keeps fewer, they are still drawn by chance.
    rows = np.random.default_rng(content.options.seed).permutation(len(points.rows))[:wanted]
    ids = [str(sample) for sample in content.subject.store.ids[points.rows[rows]]]
    chips, drawn = draw_thumbnails(pictures, ids, LADDER[0][0], progress)
    # Two bytes a point for the place of its picture, before compression.
    left = budget - 3 * len(points.rows)
    sprites = sprites_within(chips[drawn], rows[drawn], max(left, _LEAST_FOR_SPRITES))
    return sprites, _picture_note(len(points.rows), 0 if sprites is None else len(sprites.rows))


def _picture_note(points: int, pictures: int) -> str:
    if pictures == points:
        return "Hover a point to see its chip."
    if not pictures:
        return "Points have no pictures: no image could be drawn."
    return (
        f"Hover a point to see its chip: {pictures:,} of {points:,} points, drawn by chance, have "
        "a picture."
    )


def _map_told(content: ReportContent, points: Points | None) -> str:
    found = content.map
    if found is None or points is None:
        return ""
    recipe, quality = found.recipe, found.quality
    said = [
        f"{str(recipe.get('projection', 'map')).upper()} of {recipe.get('feature', 'features')}"
    ]
    said += [f"layer {recipe['layer']}"] if "layer" in recipe else []
    shown = len(points.rows)
    sampled = f" {shown:,} of {points.total:,} samples, drawn by chance, are shown."
    return f"{', '.join(said)}.{sampled if shown < points.total else ''} {belief(quality)}"


def _values(content: ReportContent, tables: list[PaperTable]) -> dict[str, Any]:
    protocols = dict.fromkeys(rows[0].protocol for rows in content.results)
    of = {name: [table for table in tables if table.section == name]
          for name in ("leaderboard", "decisions", "classes")}  # fmt: skip
    published = any(row.kind == "published" for table in tables for row in table.rows)
    subject = content.subject
    return {
        "facts": content.facts,
        "scheme": subject.split_scheme if subject else "",
        "boards": of["leaderboard"],
        "decisions": of["decisions"],
        "classes": of["classes"],
        "has_published": published,
        "sources": {n: PROTOCOLS[n].source for n in protocols if n in PROTOCOLS},
        "publications": _publications(content) if published else {},
        "glossary": glossary_of(content.results),
        "map_command": _map_command(content),
        "version": version("featbank"),
        "date": time.strftime("%Y-%m-%d"),
    }


def _publications(content: ReportContent) -> dict[str, str]:
    from featbank.pages.published_table import published_beside

    found = [spec for rows in content.results for spec, _ in published_beside(rows)]
    return {spec.name: spec.source for spec in found}


def _map_command(content: ReportContent) -> str:
    if content.map is None or not content.stores:
        return ""
    projection = content.map.recipe.get("projection", "umap")
    return f"featbank map --projection {projection} --store {content.stores[0].path}"


def _sections(values: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("results", "Results"),
        ("map", "Map"),
        *([("decisions", "Decisions")] if values["decisions"] else []),
        *([("classes", "Class by class")] if values["classes"] else []),
        *([("figures", "Figures")] if values["figures"] or values["not_drawn"] else []),
        ("runs", "What was run"),
        ("cite", "How to cite"),
        ("glossary", "Glossary"),
    ]
