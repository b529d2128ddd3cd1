"""The interactive map in Jupyter: hovering shows the chip, a lasso gives sample ids to Python.

Importing this module needs anywidget; ``featbank.pages.widget`` says so where it is missing.
"""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets

from featbank.catalog import suggest
from featbank.errors import FeatbankError, UnknownNameError
from featbank.pages.shades import GREY, shade

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.image import Array
    from featbank.pages.colour_columns import ColourColumns
    from featbank.pictures.chip_pictures import ChipPictures

_FOLDER = Path(__file__).parent
_LOOKED_AT = 2_000  # ids among which a near one is looked for; more would make a person wait
_CHIPS_KEPT = 512  # some 15 MB of thumbnails


class ScatterWidget(anywidget.AnyWidget):
    """Points of a map, of which a person hovers, colours and selects.

    Attributes:
        selection: Sample ids that are selected, observable (``widget.observe(f, "selection")``);
            setting it highlights them.
        colour: Column that points are coloured by, one of ``colours``; setting it colours anew.
        height: Height of the plot in pixels.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    selection = traitlets.Any(())
    colour = traitlets.Unicode().tag(sync=True)
    height = traitlets.Int(460).tag(sync=True)
    _xy = traitlets.Bytes().tag(sync=True)
    _columns = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _codes = traitlets.Bytes().tag(sync=True)
    _legend: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    _selected = traitlets.Bytes().tag(sync=True)

    def __init__(
        self,
        ids: Array,
        xy: Array,
        columns: ColourColumns,
        pictures: ChipPictures | str,
        **options: Any,  # noqa: ANN401 - traits of the widget
    ) -> None:
        self._ids = [str(sample) for sample in ids]
        self._place_of = {sample: place for place, sample in enumerate(self._ids)}
        self._columns_of, self._pictures = columns, pictures
        self._side_px = int(options.pop("thumbnail_px", 160))
        self._chip = lru_cache(maxsize=_CHIPS_KEPT)(self._draw)
        super().__init__(
            # One module: scatter.js exports what widget.js draws with.
            _esm="".join(_text(name) for name in ("scatter/scatter.js", "widget.js")),
            _css=_text("widget.css"),
            _xy=np.ascontiguousarray(xy, dtype="<f4").tobytes(),
            _columns=list(columns.names),
            **{"colour": columns.names[0], **options},
        )
        self.on_msg(self._receive)

    @property
    def colours(self) -> tuple[str, ...]:
        """Columns that ``colour`` takes."""
        return self._columns_of.names

    @traitlets.validate("selection")
    def _known_ids(self, proposal: Any) -> tuple[str, ...]:  # noqa: ANN401 - traitlets' own
        wanted = tuple(dict.fromkeys(str(sample) for sample in proposal["value"]))
        for sample in wanted:
            if sample not in self._place_of:
                raise UnknownNameError(
                    sample,
                    "the map has no such sample",
                    f"one of its {len(self._ids)} sample ids",
                    suggest(sample, self._ids[:_LOOKED_AT]),
                )
        return wanted

    @traitlets.observe("selection")
    def _highlight(self, _change: object) -> None:
        places = [self._place_of[sample] for sample in self.selection]
        self._selected = np.array(places, dtype="<u4").tobytes()

    @traitlets.validate("colour")
    def _known_column(self, proposal: Any) -> str:  # noqa: ANN401
        name = str(proposal["value"])
        self._found = self._columns_of.colouring(name)
        return name

    @traitlets.observe("colour")
    def _recolour(self, _change: object) -> None:
        found, coloured = self._found, 0
        legend = []
        for name, count, is_grey in zip(found.names, found.counts, found.is_grey, strict=True):
            legend.append(
                {"name": name, "count": count, "colour": GREY if is_grey else shade(coloured)}
            )
            coloured += not is_grey
        with self.hold_sync():
            self._codes, self._legend = found.codes.tobytes(), legend

    def _receive(self, _widget: object, content: dict[str, Any], buffers: Sequence[Any]) -> None:
        """What the browser asks for: a chip, or the ids of points that a lasso holds."""
        if content.get("type") == "select":
            places = np.sort(np.frombuffer(buffers[0], dtype="<u4"))
            self.selection = tuple(self._ids[place] for place in places)
        elif content.get("type") == "chip":
            self._send_chip(int(content["index"]))

    def _send_chip(self, place: int) -> None:
        found, trouble = self._chip(place)
        about = {"type": "chip", "index": place, "lines": self._lines(place), "trouble": trouble}
        self.send(about, buffers=[found] if found else [])

    def _draw(self, place: int) -> tuple[bytes, str]:
        """A PNG of the chip, or why there is none."""
        from PIL import Image

        if isinstance(self._pictures, str):
            return b"", self._pictures
        try:
            (pixels,) = self._pictures.rgb([self._ids[place]])
        except FeatbankError as error:
            return b"", str(error)
        picture = Image.fromarray(pixels)
        picture.thumbnail((self._side_px, self._side_px))
        buffer = io.BytesIO()
        picture.save(buffer, format="PNG")
        return buffer.getvalue(), ""

    def _lines(self, place: int) -> list[str]:
        """Id and labels of a point, and its value of the column shown."""
        labels = ", ".join(self._columns_of.labels_of(place)) or "no label"
        value = self._found.names[self._found.codes[place]]
        shown = [] if value == labels else [f"{self.colour}: {value}"]
        return [self._ids[place], labels, *shown]


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
