"""Lists of the protocols: a row each, or one in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.lookup.headline import headline_of
from featbank.probes import PROBES
from featbank.probes.protocols import PROTOCOLS

if TYPE_CHECKING:
    from featbank.probes.protocols import ProtocolSpec


_LIBRARIES = {"numpy": "NumPy", "torch": "PyTorch"}


def protocol_rows(family: str | None = None) -> list[dict[str, Any]]:
    """One row a protocol: its probe, how many fits it chooses among, what it is.

    Args:
        family: Name that several protocols run under; None lists all protocols.
    """
    return [
        {
            "name": spec.name,
            "probe": spec.probe,
            "fits": len(spec.grid),
            "summary": spec.summary,
            "source": spec.source,
        }
        for spec in PROTOCOLS.values()
        if family is None or spec.family == family
    ]


def protocol_description(name: str) -> dict[str, Any]:
    """What a protocol fixes.

    Raises:
        UnknownNameError: Not in the catalog.
    """
    spec = PROTOCOLS[name]
    params = {**PROBES[spec.probe].defaults, **spec.params}
    swept = sorted({key for member in spec.grid for key in member})
    return {
        "name": spec.name,
        "summary": spec.summary,
        "probe": spec.probe,
        "fixed": {key: value for key, value in params.items() if key not in swept},
        "swept": {key: [member[key] for member in spec.grid] for key in swept},
        "features": " + ".join(f"{name} of layer {place}" for name, place in spec.parts)
        or "as asked, or the backbone's default",
        "chosen_on": _chosen_on(spec),
        "fitted_on": " + ".join(spec.final_on),
        "fitted_with": dict(spec.final_params),
        "absent_classes": "count 0" if spec.absent_as_zero else "left out of macro averages",
        "labels_decided": f"the {spec.top} most probable, and by thresholds"
        if spec.top
        else "by thresholds",
        "resamples": spec.resamples or "as asked, or 1000",
        "source": spec.source,
        "first_of_several_labels": _first_of_several(spec),
        "few_shot": _few_shot(spec),
        "settled_here": list(spec.settled),
        "not_met": list(spec.unmet),
    }


def _first_of_several(spec: ProtocolSpec) -> str:
    head = headline_of(spec, several=True)
    return " ".join(part for part in (head.average, head.metric, head.threshold) if part)


def _few_shot(spec: ProtocolSpec) -> str:
    rule = spec.few_shot
    swept = "k up to the shots and k = shots" if rule.k_within_shots else "all candidates"
    short = "gives all" if rule.takes_short_classes else "is refused"
    drawn = f"drawn by {_LIBRARIES[rule.drawn_by]}"
    return f"fitted on the shots alone; {swept}; a class with fewer samples {short}; {drawn}"


def _chosen_on(spec: ProtocolSpec) -> str:
    if len(spec.grid) == 1:
        return "nothing to choose"
    return "validation" if spec.chosen_on == "val" else f"{spec.chosen_on:.0%} of train"
