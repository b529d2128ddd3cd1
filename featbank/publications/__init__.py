"""Publications: numbers that others printed, to stand beside ours. One module, one source."""

from featbank.catalog import Catalog
from featbank.publications.publication import PublicationSpec, PublishedRow

PUBLICATIONS: Catalog[PublicationSpec] = Catalog(
    __name__, kind="publication", record=PublicationSpec
)

__all__ = ["PUBLICATIONS", "PublicationSpec", "PublishedRow"]
