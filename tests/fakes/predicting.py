"""Saves probes and predicts with them, as the tests of both do."""

from __future__ import annotations

from featbank.stages.predict.run import PredictOptions, plan_prediction, predict
from featbank.stages.probe.run import ProbeOptions, probe_store

QUICK = {
    "linear": {"min_steps": 20, "epochs": 1},
    "mlp": {"min_steps": 20, "epochs": 1, "hidden": 16},
    "forest": {"trees": 5},
}


def save(path, bank, **options):
    clf = options.get("clf", "")
    options = {"params": QUICK.get(clf, {}), "resamples": 5, "seeds": 1, "save": True} | options
    return probe_store(ProbeOptions(store=path, bank=bank, **options))


def says(bank, report, source, **options):
    found = predict(
        plan_prediction(
            PredictOptions(
                probe=report.results[0].result,
                source=str(source),
                bank=bank,
                write=False,
                **options,
            )
        )
    )
    return found, found.table.to_pandas()
