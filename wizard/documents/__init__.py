"""Products and what they need as YAML documents: to keep in git, to compare, to apply again (`docs/spec.md` 8)."""

from __future__ import annotations

from wizard.documents.applying import ObjectChange, apply
from wizard.documents.exporting import Exported, FileInTheWay, NotExportable, export, export_to, exported
from wizard.documents.mistakes import DocumentError, Mistake
from wizard.documents.shape import schema

__all__ = [
    "DocumentError",
    "Exported",
    "FileInTheWay",
    "Mistake",
    "NotExportable",
    "ObjectChange",
    "apply",
    "export",
    "export_to",
    "exported",
    "schema",
]
