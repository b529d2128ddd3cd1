"""How far a probe's probabilities can be believed, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.pages.table_style import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.result import Result


def calibration_line(results: Sequence[Result]) -> str:
    """Calibration errors before and after temperature, and losses; '' where there are none.

    Args:
        results: Rows of one result, of all samples.
    """
    found = {
        (row.metric, row.average): row.value
        for row in results
        if row.class_name is None and row.threshold is None and row.split == results[0].split
    }
    if not {("ece", None), ("ece", "micro")} & set(found):
        return ""
    parts = [f"Calibration: ECE {_errors(found, 'ece')}, largest gap {_errors(found, 'mce')}"]
    temperature = next((row.value for row in results if row.metric == "temperature"), None)
    if temperature is not None:
        after = _errors(found, "ece_scaled")
        worse = " (worse here)" if _is_worse(found) else ""
        parts.append(
            f"at temperature {temperature:.2f}, fitted on other samples, ECE {after}{worse}"
        )
    losses = f"Log loss {number(found['log_loss', None])}, Brier {number(found['brier', None])}."
    return f"{'; '.join(parts)}. {losses}"


def _errors(found: dict[tuple[str, str | None], float], metric: str) -> str:
    if (metric, None) in found:
        return number(found[metric, None])
    return f"{number(found[metric, 'macro'])} by label, {number(found[metric, 'micro'])} pooled"


def _is_worse(found: dict[tuple[str, str | None], float]) -> bool:
    average = None if ("ece", None) in found else "micro"
    return found["ece_scaled", average] > found["ece", average]
