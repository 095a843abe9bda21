"""The tables of the domain, one module for each kind of thing."""

from labeling.models.api_key import ApiKey
from labeling.models.certificate import Certificate, CertificateUse
from labeling.models.chunk import RunChunk
from labeling.models.export import ExportRecord
from labeling.models.label import Label
from labeling.models.learned import Classifier, Embedding
from labeling.models.project import Category, CategoryMerge, Project
from labeling.models.prompt import PromptVersion
from labeling.models.requests import IdempotentRequest, RequestCount
from labeling.models.run import LabelingRun
from labeling.models.text import ImportRecord, RejectedRow, Text
from labeling.models.worker import Worker

__all__ = [
    "ApiKey",
    "Category",
    "CategoryMerge",
    "Certificate",
    "CertificateUse",
    "Classifier",
    "Embedding",
    "ExportRecord",
    "IdempotentRequest",
    "ImportRecord",
    "Label",
    "LabelingRun",
    "Project",
    "PromptVersion",
    "RejectedRow",
    "RequestCount",
    "RunChunk",
    "Text",
    "Worker",
]
