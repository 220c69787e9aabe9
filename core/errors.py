"""Errors a learner can act on: one sentence for what happened, one hint for what to do next.

LabError
├── SettingsError      a value outside its range, an unknown option
├── WorkspaceError     files and folders of the workspace
│   ├── NotFound       no such data set, run or model in this workspace
│   ├── Busy           somebody else holds the lock
│   ├── DiskFull       no room to write
│   └── NewerVersion   the file was written by a newer Bearings
├── DataError          an import that cannot become a data set
│   ├── ImageRejected  one picture that cannot be used
│   └── ArchiveError   a zip that is not one, or that is unsafe
├── ModelError         a backbone or a model file that cannot be used
├── TrainError         a run that cannot start or go on
└── JobError           the engine does not answer, or a job was lost
"""

from __future__ import annotations


class LabError(Exception):
    """A fault with a sentence (`message`) and what to do next (`hint`); both are fit to be shown to a learner."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class SettingsError(LabError):
    """A setting outside its range, or an unknown option."""


class WorkspaceError(LabError):
    """Something is wrong with the files of the workspace."""


class NotFound(WorkspaceError):
    """No such data set, run or model in this workspace (or it belongs to somebody else)."""


class Busy(WorkspaceError):
    """Somebody else is writing there."""


class DiskFull(WorkspaceError):
    """There is no room left to write."""


class NewerVersion(WorkspaceError):
    """A file was written by a newer version of Bearings."""


class DataError(LabError):
    """An import that cannot become a data set."""


class ImageRejected(DataError):
    """One picture that cannot be used; `code` is a short word for tables, the message says why."""

    def __init__(self, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class ArchiveError(DataError):
    """A zip file that is not one, or that is not safe to open."""


class ModelError(LabError):
    """A backbone or a model file that cannot be used."""


class TrainError(LabError):
    """A training run that cannot start or go on."""


class JobError(LabError):
    """The engine does not answer, or a job was lost."""
