"""The error family: one class per cause; one line with culprit, expected and way out."""

from typing import Self

from featbank.shown import shown


class FeatbankError(Exception):
    """A named failure, shown to the user as one line.

    Args:
        subject: What is wrong: a path, a name, an option.
        found: What it is, as the rest of a sentence that starts with the subject.
        expected: What it should be.
        remedy: What to do, as a whole sentence.
    """

    exit_code = 1

    def __init__(self, subject: str, found: str, expected: str, remedy: str) -> None:
        # One argument: OSError would read four as errno, message and two file names.
        # Names in it may hold anything; a message is one line, in which nothing acts.
        super().__init__(shown(f"{subject}: {found}; expected {expected}. {remedy}"))
        self.subject = subject
        self.found = found
        self._parts = (subject, found, expected, remedy)

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[type[Self], tuple[str, str, str, str]]:
        return type(self), self._parts


class UnknownNameError(FeatbankError, KeyError):
    """A name that no catalog, array or option knows."""


class MissingPathError(FeatbankError, FileNotFoundError):
    """A file or folder that is not there."""


class DatasetError(FeatbankError, ValueError):
    """Imagery that breaks what its dataset promises."""


class DecodeError(FeatbankError, ValueError):
    """One image file that does not decode."""


class ReadError(FeatbankError, OSError):
    """The disk or network failed while reading; never a refused sample."""


class DiskError(FeatbankError, OSError):
    """A file or folder that the system does not let us read, make or write."""


class LinkError(FeatbankError, OSError):
    """A symbolic link where a file is about to be written."""


class MemoryShortError(FeatbankError, MemoryError):
    """Less memory than the work takes."""


class DownloadError(FeatbankError, OSError):
    """A file that cannot be fetched whole, or an archive that cannot be unpacked safely."""


class ContractError(FeatbankError, ValueError):
    """A dataset and a backbone that do not agree on bands, units or statistics."""


class WeightsError(FeatbankError, ValueError):
    """Weights that do not fit their network."""


class RefusedError(FeatbankError, ValueError):
    """More refused samples than the run allows."""


class StoreError(FeatbankError, ValueError):
    """A store that cannot be used as asked."""


class UnfinishedStoreError(StoreError):
    """A store whose embedding has not finished."""


class LockedError(FeatbankError, BlockingIOError):
    """A store that another process is writing."""


class ProbeError(FeatbankError, ValueError):
    """A probe that cannot be fitted or scored as asked."""


class TrainingError(FeatbankError, ValueError):
    """A training run that cannot go on: it collapses, diverges, or cannot be saved."""


class CatalogError(FeatbankError, ValueError):
    """A catalog entry that breaks the catalog's promises."""


class FeatbankWarning(UserWarning):
    """Something that was left out or set aside, said in one line; the work goes on."""


class UsageError(FeatbankError, ValueError):
    """Options that clash or lack a partner."""

    exit_code = 2
