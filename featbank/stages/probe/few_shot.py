"""Few-shot runs: a probe fitted on a few training samples of each class, drawn several times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import ProbeError
from featbank.stages.probe.distances import Distances, together
from featbank.stages.probe.probe_run import ProbeRun, with_rows
from featbank.stages.probe.shots import Permuting, Shots, TorchDraws, draw_shots

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.stages.probe.data import ProbeData

    Rows = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class FewShot:
    """Scores of one number of shots.

    Attributes:
        shots: Training samples drawn of each class.
        values: (T,) headline metric on test, one a try.
        n_train: Samples that the probe was fitted on, the mean of the tries.
        params: Parameters chosen in the first try.
        distances: From test to what was fitted on, over all tries.
    """

    shots: int
    values: Array
    n_train: int
    params: dict[str, object]
    distances: Distances


def few_shot(
    run: ProbeRun, data: ProbeData, progress: Callable[[int, int], None] | None = None
) -> list[FewShot]:
    """Fit and score each number of shots, each try on its own draw.

    Of each class, or label, as many training samples are drawn; the union of the draws is what the
    probe is fitted on. Where the protocol says so, a class that has fewer gives all it has.
    Parameters are chosen on as many validation samples of each class (all of a class that has
    fewer), since a whole validation set would be more labels than the shots; the scored probe is
    fitted on the shots alone, whatever the protocol fits on otherwise, and scored on all of test.
    Try t draws by seed t, as dinov2/eval/knn.py does.

    Raises:
        ProbeError: A class has fewer training samples than shots, and the protocol takes no fewer.
    """
    done, total = 0, len(run.options.shots) * run.options.tries
    found = []
    for shots in run.options.shots:
        values, sizes, far = [], [], []
        params: dict[str, object] = {}
        for seed in range(run.options.tries):
            drawn = _drawn(run, data, shots, seed)
            choice = run.choose(drawn, shots=shots)
            _, scores = next(iter(run.final_fits(drawn, choice.params)))
            truth = data.labels[data.rows["test"]]
            values.append(run.headline(data).score(truth, scores, absent=run.absent))
            sizes.append(len(drawn.rows["final"]))
            far.append(drawn.distances)
            params = params or dict(choice.params)
            done += 1
            if progress:
                progress(done, total)
        found.append(
            FewShot(
                shots=shots,
                values=np.array(values),
                n_train=round(float(np.mean(sizes))),
                params=params,
                distances=together(far),
            )
        )
    return found


def _drawn(run: ProbeRun, data: ProbeData, shots: int, seed: int) -> ProbeData:
    rng, rule = np.random.default_rng(seed), run.protocol.few_shot
    draws = TorchDraws(seed) if rule.drawn_by == "torch" else rng
    train = _few(data, data.rows["train"], shots, draws)
    lacking = [data.classes[k] for k in train.short]
    if lacking and rule.takes_short_classes:
        count = f"{len(lacking)} of {len(data.classes)} classes"
        run.note(f"of {shots} shots, all training samples of {count}, which have fewer")
    elif lacking:
        raise ProbeError(
            f"--shots {shots}",
            f"class '{lacking[0]}' has fewer training samples in {run.store.path}",
            f"{shots} or more of every class that is present",
            "Ask for fewer shots.",
        )
    val = _few(data, data.rows["val"], shots, rng)
    return with_rows(data, train=train.rows, final=train.rows, val=val.rows)


def _few(data: ProbeData, rows: Rows, shots: int, rng: Permuting) -> Shots:
    return draw_shots(data.labels, rows, n_classes=len(data.classes), shots=shots, rng=rng)
