"""The closed list of alerts. Each has a page in `docs/runbooks/` under its own name; a test holds the two together."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import models


class Kind(models.TextChoices):
    """What can be wrong. Stored, and the name of the runbook: never renamed."""

    GAP = "gap", "Missing mapping"
    REFUSED = "refused", "Refused by the ERP"
    HELD = "held", "Held"
    UNKNOWN = "unknown", "Outcome unknown"
    SIGNATURES = "signatures", "Signatures fail"
    PAUSED = "paused", "Paused"
    WEBHOOKS = "webhooks", "Webhooks"
    COMPLETENESS = "completeness", "Orders not accounted for"
    UNOWNED = "unowned", "Orders of no pipeline"
    ERP_UNREACHABLE = "erp-unreachable", "ERP does not answer"
    STORE_UNREACHABLE = "store-unreachable", "Store does not answer"
    FLOW_FAILING = "flow-failing", "Flow fails"
    FLOW_LATE = "flow-late", "Flow is late"
    WORK_OVERDUE = "work-overdue", "Work is overdue"
    STORE_SILENT = "store-silent", "No orders"
    DOCUMENT_DOUBLED = "document-doubled", "Document twice in the ERP"
    UNDELIVERED = "undelivered", "Alerts not delivered"
    BACKGROUND_SILENT = "background-silent", "Background work is silent"
    SIGN_IN_FAILURES = "sign-in-failures", "Many failed sign-ins"
    AUDIT_PARTITIONS = "audit-partitions", "Audit partitions missing"
    UNREADABLE_SECRET = "unreadable-secret", "Secret cannot be read"


class Severity(models.TextChoices):
    WARNING = "warning", "Warning"
    CRITICAL = "critical", "Critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSpec:
    """How an alert of one kind behaves and what it tells.

    `holds` is how long its condition must be met before it is raised, `rests` how long it must be gone before it is
    over: so that what comes and goes is not told every time.
    """

    severity: Severity
    holds: timedelta
    rests: timedelta
    heals: str  # whether it heals by itself
    way_out: str

    @property
    def is_critical(self) -> bool:
        return self.severity == Severity.CRITICAL


def _minutes(holds: int, rests: int) -> dict[str, timedelta]:
    return {"holds": timedelta(minutes=holds), "rests": timedelta(minutes=rests)}


BY_A_PERSON = "It waits for a person."
BY_ITSELF = "It heals by itself once the other side is well."

SPECS: dict[Kind, KindSpec] = {
    Kind.GAP: KindSpec(
        severity=Severity.WARNING,
        **_minutes(2, 2),
        heals=BY_A_PERSON,
        way_out="Add the mapping on the gap's page. The orders it blocks are then posted.",
    ),
    Kind.REFUSED: KindSpec(
        severity=Severity.WARNING,
        **_minutes(2, 2),
        heals=BY_A_PERSON,
        way_out="Read what the ERP said, correct it there or in the mappings, and reprocess.",
    ),
    Kind.HELD: KindSpec(
        severity=Severity.WARNING,
        **_minutes(2, 2),
        heals=BY_A_PERSON,
        way_out="Each order's page shows the arithmetic or the policy that holds it, and what can be done.",
    ),
    Kind.UNKNOWN: KindSpec(
        severity=Severity.WARNING,
        **_minutes(1, 2),
        heals="It heals by itself: the documents are looked up again until the ERP answers.",
        way_out="See whether the ERP answers at all. Nothing is sent a second time meanwhile.",
    ),
    Kind.SIGNATURES: KindSpec(
        severity=Severity.WARNING,
        **_minutes(1, 60),
        heals="It heals by itself only if somebody forged them. A wrong client secret stays wrong.",
        way_out="Compare the client secret of the store with that of its API account.",
    ),
    Kind.PAUSED: KindSpec(
        severity=Severity.CRITICAL,
        **_minutes(1, 1),
        heals=BY_A_PERSON,
        way_out="Mend what the reason names, test the connection, and resume it. What waited goes on by itself.",
    ),
    Kind.WEBHOOKS: KindSpec(
        severity=Severity.WARNING,
        **_minutes(2, 2),
        heals="What can be registered again is, every hour, where the store keeps its webhooks. This could not be.",
        way_out="The store's page about webhooks says what is wrong. Orders are found by the poll meanwhile.",
    ),
    Kind.COMPLETENESS: KindSpec(
        severity=Severity.CRITICAL,
        **_minutes(2, 2),
        heals="Orders that were missing are being read; what is left after half an hour waits for a person.",
        way_out="The certificate's page names each order, what it was and what it is. Look again there afterwards.",
    ),
    Kind.UNOWNED: KindSpec(
        severity=Severity.WARNING,
        **_minutes(2, 2),
        heals=BY_A_PERSON,
        way_out="Give a pipeline their channel, currency or customer group, or mute the alert if others book them.",
    ),
    Kind.ERP_UNREACHABLE: KindSpec(
        severity=Severity.CRITICAL,
        **_minutes(5, 2),
        heals=BY_ITSELF,
        way_out="See whether the ERP's server, network and certificate are well. Nothing is lost: orders wait.",
    ),
    Kind.STORE_UNREACHABLE: KindSpec(
        severity=Severity.WARNING,
        **_minutes(5, 2),
        heals=BY_ITSELF,
        way_out="See whether BigCommerce has an incident and whether this machine reaches it.",
    ),
    Kind.FLOW_FAILING: KindSpec(
        severity=Severity.WARNING,
        **_minutes(10, 2),
        heals="It heals by itself if the cause was the other side: the flow runs again on its schedule.",
        way_out="Read the flow's last error on the pipeline's page.",
    ),
    Kind.FLOW_LATE: KindSpec(
        severity=Severity.WARNING,
        **_minutes(2, 2),
        heals="It heals by itself with the next successful run.",
        way_out="See whether beat and the workers run; Run now on the pipeline's page starts the flow at once.",
    ),
    Kind.WORK_OVERDUE: KindSpec(
        severity=Severity.CRITICAL,
        **_minutes(2, 2),
        heals="It heals by itself if the workers are only busy. Dead workers stay dead.",
        way_out="See whether worker processes run and have enough threads.",
    ),
    Kind.STORE_SILENT: KindSpec(
        severity=Severity.CRITICAL,
        **_minutes(2, 1),
        heals="It is over with the next order.",
        way_out="Try the store's checkout, then its webhooks and the poll. On a holiday, mute the alert.",
    ),
    Kind.DOCUMENT_DOUBLED: KindSpec(
        severity=Severity.CRITICAL,
        **_minutes(0, 0),
        heals=BY_A_PERSON,
        way_out="Cancel the document that is too much in the ERP. The next look finds one, and the alert is over.",
    ),
    Kind.UNDELIVERED: KindSpec(
        severity=Severity.WARNING,
        **_minutes(0, 0),
        heals=BY_A_PERSON,
        way_out="Correct the destination, send a test, then send again what was given up.",
    ),
    Kind.BACKGROUND_SILENT: KindSpec(
        severity=Severity.CRITICAL,
        **_minutes(0, 1),
        heals="It heals by itself if the broker was away. A process that ended must be started.",
        way_out="See whether beat, the workers and the broker run.",
    ),
    Kind.SIGN_IN_FAILURES: KindSpec(
        severity=Severity.WARNING,
        **_minutes(0, 30),
        heals="It heals by itself when whoever tries gives up: names are locked for a while after five failures.",
        way_out="See in the audit trail whose names are tried. Close the console to the internet if you can.",
    ),
    Kind.AUDIT_PARTITIONS: KindSpec(
        severity=Severity.WARNING,
        **_minutes(5, 1),
        heals="It heals by itself with the daily task, if that runs. No entry is lost meanwhile.",
        way_out="Run ./tieout audit_partitions and read what it says.",
    ),
    Kind.UNREADABLE_SECRET: KindSpec(
        severity=Severity.CRITICAL,
        **_minutes(0, 1),
        heals=BY_A_PERSON,
        way_out="Add the missing key to TIEOUT_FIELD_KEYS and restart, or enter the secret again.",
    ),
}
