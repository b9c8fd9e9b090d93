"""The rows that are the truth: pipelines, the inbox, postings with their documents, and what blocks them."""

from sync.models.alerts import (
    Alert,
    AlertDestination,
    AlertNotice,
    AlertState,
    Change,
    Channel,
    Heartbeat,
    NoticeState,
)
from sync.models.clearing import Clearable, ClearedBy
from sync.models.completeness import Certificate, CertificateLine, CertificateState, Finding
from sync.models.documents import Attempt, Document, DocumentState
from sync.models.erasures import Erasure, ErasureState
from sync.models.gaps import Gap, GapBlock, GapState
from sync.models.imports import HistoryImport, ImportState
from sync.models.inbox import Event, EventState
from sync.models.pipelines import Flow, FlowKind, Mode, Pipeline, PipelineVersion
from sync.models.postings import UNFINISHED, Posting, RecordKind, Snapshot, Status, StoredPlan
from sync.models.retention import Retention, RetentionRun
from sync.models.runs import Reprocess, ReprocessItem
from sync.models.schedules import StoreFlow, StoreFlowKind
from sync.models.watched import OrderRhythm, Probe
from sync.models.webhooks import AnswerMinute, HookFinding

__all__ = [
    "UNFINISHED",
    "Alert",
    "AlertDestination",
    "AlertNotice",
    "AlertState",
    "AnswerMinute",
    "Attempt",
    "Certificate",
    "CertificateLine",
    "CertificateState",
    "Change",
    "Channel",
    "Clearable",
    "ClearedBy",
    "Document",
    "DocumentState",
    "Erasure",
    "ErasureState",
    "Event",
    "EventState",
    "Finding",
    "Flow",
    "FlowKind",
    "Gap",
    "GapBlock",
    "GapState",
    "Heartbeat",
    "HistoryImport",
    "HookFinding",
    "ImportState",
    "Mode",
    "NoticeState",
    "OrderRhythm",
    "Pipeline",
    "PipelineVersion",
    "Posting",
    "Probe",
    "RecordKind",
    "Reprocess",
    "ReprocessItem",
    "Retention",
    "RetentionRun",
    "Snapshot",
    "Status",
    "StoreFlow",
    "StoreFlowKind",
    "StoredPlan",
]
