"""Scoring a fine-tuned network: its features are embedded once, its head is a linear probe on them.

So the results of a fine-tuned network stand on a store like all others: their figures, maps,
neighbours and comparisons need nothing of their own, and ``featbank predict`` applies the network
to other images.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from featbank.bank.bank import Bank
from featbank.bank.results import Predictions, write_predictions, write_results
from featbank.metrics.headline_score import as_kept, headline_score
from featbank.probes.fitting.linear_classifier import from_weights
from featbank.probes.fitting.sweep import Choice, predict
from featbank.probes.protocols.protocol import ProtocolSpec
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.stages.finetune.options import embed_options
from featbank.stages.probe.options import ProbeOptions
from featbank.stages.probe.probe_run import ProbeRun, labelled, with_rows
from featbank.stages.probe.rows import Rows
from featbank.stages.probe.run import ProbeReport
from featbank.stages.probe.saved_probe import save_probe
from featbank.stages.probe.unseen_scores import Unseen
from featbank.stages.probe.verdict import judge
from featbank.store.reader import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featbank.image import Array
    from featbank.probes import Classifier
    from featbank.stages.finetune.plan import FinetunePlan
    from featbank.stages.probe.data import ProbeData

    Progress = Callable[[int, int], None]

# Not in the catalog of protocols: what it fits is the backbone, which no probe does.
PROTOCOL = ProtocolSpec(
    name="featbank-finetune",
    summary="backbone and linear head trained together on labelled chips",
    probe="linear",
    final_on=("train",),
    source=(
        "study of DINOv2-base on EuroSAT (Adam, 1e-4, batch 32, 10 epochs); head on CLS and mean "
        "patch token as transformers' Dinov2ForImageClassification"
    ),
)

_SEEN = (
    "without a validation split, thresholds and the temperature are fitted on samples that the "
    "network was trained on"
)


def score_network(
    plan: FinetunePlan, head: tuple[Array, Array], params: dict[str, object], progress: Progress
) -> ProbeReport:
    """Embed the dataset with the checkpoint of a run, and score its head on the test split.

    Args:
        plan: The run, whose checkpoint is written.
        head: (K, D) weights and (K,) biases.
        params: What stands in the results' rows as parameters.
        progress: Takes chips embedded and chips to embed.

    Raises:
        FeatbankError: The split scheme has no test sample.
    """
    store = Store(_embedded(plan, progress))
    run = ProbeRun(PROTOCOL, store, _probe_options(plan))
    data = _trained_rows(plan, store, run.read())
    classifier = _classifier(plan, head)
    scores = predict(classifier, data.features[data.rows["test"]], labelled(data, "final"))
    choice = _choice(data, classifier, params)
    # The head is not fitted again, so validation is what it has not been fitted on.
    val, n_train = data.rows["val"], len(data.rows["train"])
    has_val = bool(len(plan.rows["val"]))
    if not has_val:
        run.note(_SEEN)
    unseen = Unseen(data.labels[val], choice.validation, "val" if has_val else "train", n_train)
    verdict = judge(data, scores, unseen, resamples=run.resamples, seed=plan.options.seed)
    results = [
        replace(row, dtype=plan.recipe["compute_dtype"])
        for row in Rows(run, data, verdict.notes).of_probe(choice, verdict, {})
    ]
    bank = Bank(plan.options.bank)
    predictions = Predictions(
        ids=store.ids[data.rows["test"]],
        split="test",
        truth=data.labels[data.rows["test"]],
        scores=as_kept(scores),
        classes=data.classes,
        thresholds=verdict.thresholds,
    )
    return ProbeReport(
        results=results,
        classes=data.classes,
        confusion=verdict.confusion,
        # Predictions first: a result in the bank says that both are there.
        predictions_path=write_predictions(bank, run.result_id, predictions),
        results_path=write_results(bank, results),
        saved_path=save_probe(bank, run, data, classifier, verdict=verdict, headline=results[0]),
    )


def _embedded(plan: FinetunePlan, progress: Progress) -> Path:
    options = replace(
        embed_options(plan.options),
        model=str(plan.path),
        weights=None,
        normalise=None,
        answers={},
        positions=None,
        image_size=plan.embed.inputs.image_size,
    )
    return embed_dataset(plan_embed(options), progress=progress).store


def _probe_options(plan: FinetunePlan) -> ProbeOptions:
    return ProbeOptions(
        protocol=PROTOCOL.name,
        features="+".join(plan.features),
        labels=plan.label_set,
        split_scheme=plan.embed.imagery.scheme,
        seed=plan.options.seed,
        seeds=1,
        device=plan.options.device,
        resamples=plan.options.resamples,
        bank=plan.options.bank,
    )


def _trained_rows(plan: FinetunePlan, store: Store, data: ProbeData) -> ProbeData:
    """The rows that the network was trained on, where shots took a part of them."""
    ids = plan.embed.imagery.dataset.samples.ids[plan.rows["train"]]
    trained = np.flatnonzero(np.isin(store.ids, ids) & store.valid)
    if len(plan.rows["val"]):
        return with_rows(data, train=trained, final=trained)
    # Validation was carved from train for the thresholds alone: the network saw it.
    return with_rows(data, final=trained)


def _classifier(plan: FinetunePlan, head: tuple[Array, Array]) -> Classifier:
    classes = np.arange(len(plan.labels.classes))
    return from_weights(*head, classes, multilabel=plan.labels.is_multilabel)


def _choice(data: ProbeData, classifier: Classifier, params: dict[str, object]) -> Choice:
    fit_data, val = labelled(data, "final"), data.rows["val"]
    scores = predict(classifier, data.features[val], fit_data)
    return Choice(
        params=params,
        candidates=(params,),
        scores=(headline_score(data.labels[val], scores),),
        validation=scores,
    )
