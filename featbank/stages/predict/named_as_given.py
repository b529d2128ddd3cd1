"""A store whose images have other ids where the user has put them: read under those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.stages.embed.relabelling import in_rows_of_store
from featbank.store.reader import Store

if TYPE_CHECKING:
    from featbank.stages.embed.plan import EmbedPlan


class NamedAsGiven(Store):
    """The store of a plan's images, whose rows bear the ids that the plan's dataset gives them.

    Images that are predicted may be embedded already, under other names: copies of a part of a
    dataset, or a folder that was sorted anew. The store keeps its own ids; the predictions are of
    the files that the user named.

    Args:
        plan: The embed run that made or found the store.
    """

    def __init__(self, plan: EmbedPlan) -> None:
        super().__init__(plan.path)
        samples = in_rows_of_store(plan).imagery.dataset.samples
        self.__dict__["ids"] = samples.ids.astype(object)
