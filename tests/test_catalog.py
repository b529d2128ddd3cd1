import pytest

from featbank.backbones import BACKBONES, BackboneSpec
from featbank.catalog import Catalog
from featbank.datasets import DATASETS, DatasetSpec
from featbank.errors import CatalogError, UnknownNameError
from featbank.probes import PROBES

CATALOGS = {"backbones": BACKBONES, "datasets": DATASETS, "probes": PROBES}


@pytest.mark.parametrize("catalog", CATALOGS.values(), ids=CATALOGS)
def test_names_are_what_entries_call_themselves(catalog):
    assert all(spec.name == name for name, spec in catalog.items())


@pytest.mark.parametrize("catalog", CATALOGS.values(), ids=CATALOGS)
def test_an_unknown_name_lists_the_known_ones(catalog):
    with pytest.raises(UnknownNameError, match=next(iter(catalog))):
        catalog["nonesuch"]


def test_membership_does_not_raise():
    assert "nonesuch" not in BACKBONES


def test_a_catalog_cannot_be_changed():
    with pytest.raises(TypeError):
        BACKBONES["mine"] = None


def test_an_entry_of_the_wrong_kind_is_refused():
    wrong = Catalog("featbank.backbones", kind="dataset", record=DatasetSpec)
    with pytest.raises(CatalogError, match="SPECS holds a BackboneSpec; expected DatasetSpec"):
        list(wrong)


def test_a_name_taken_twice_is_refused():
    catalog = Catalog("featbank.backbones", kind="model", record=BackboneSpec)
    entries = {"vit-tiny": BACKBONES["vit-tiny"]}
    with pytest.raises(CatalogError, match="'vit-tiny' is taken"):
        catalog._add(entries, BACKBONES["vit-tiny"], "elsewhere")
