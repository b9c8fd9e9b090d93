"""The closed list of what the audit trail can tell. A new kind of fact gets a line here first."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What happened. The value is stored, so it is never renamed or used again for something else."""

    @property
    def words(self) -> str:
        """As a person reads it: `Document posted`."""
        return self.value.replace(".", " ").replace("_", " ").capitalize()

    # From the store
    EVENT_RECEIVED = "event.received"
    EVENT_REPEATED = "event.repeated"
    HOOK_CREATED = "hook.created"
    HOOK_REPAIRED = "hook.repaired"
    HOOK_DELETED = "hook.deleted"

    # The journey of a store record
    SNAPSHOT_TAKEN = "snapshot.taken"
    PLAN_MADE = "plan.made"
    POSTING_STATUS = "posting.status"
    DOCUMENT_INTENDED = "document.intended"
    DOCUMENT_SENT = "document.sent"
    DOCUMENT_POSTED = "document.posted"
    DOCUMENT_ADOPTED = "document.adopted"
    DOCUMENT_UNKNOWN = "document.unknown"
    DOCUMENT_REFUSED = "document.refused"
    DOCUMENT_POSTPONED = "document.postponed"
    DOCUMENT_DIFFERS = "document.differs"
    DOCUMENT_CANCELLED = "document.cancelled"

    # Outward
    CALL_MADE = "call.made"
    SESSION_CLOSED = "session.closed"

    # Gaps and mappings
    GAP_OPENED = "gap.opened"
    GAP_CLOSED = "gap.closed"
    GAP_IGNORED = "gap.ignored"
    MAPPING_CHANGED = "mapping.changed"
    MAPPING_IMPORTED = "mapping.imported"
    MAPPING_EXPORTED = "mapping.exported"

    # Set-up
    PIPELINE_CHANGED = "pipeline.changed"
    CONNECTION_TESTED = "connection.tested"
    CONNECTION_PAUSED = "connection.paused"
    CONNECTION_RESUMED = "connection.resumed"
    BREAKER_CHANGED = "breaker.changed"
    REFERENCE_VALUES_READ = "reference_values.read"
    SECRET_CHANGED = "secret.changed"  # noqa: S105
    SETUP_APPLIED = "setup.applied"
    SETUP_EXPORTED = "setup.exported"
    KEYS_ROTATED = "keys.rotated"

    # Alerts
    ALERT_RAISED = "alert.raised"
    ALERT_CLEARED = "alert.cleared"
    ALERT_ACKNOWLEDGED = "alert.acknowledged"
    ALERT_MUTED = "alert.muted"
    ALERT_TESTED = "alert.tested"

    # What is kept no longer
    RETENTION_PRUNED = "retention.pruned"
    AUDIT_ARCHIVED = "audit.archived"
    AUDIT_DROPPED = "audit.dropped"
    ERASURE_ASKED = "erasure.asked"
    ERASURE_CANCELLED = "erasure.cancelled"
    ERASURE_DONE = "erasure.done"

    # What a person did
    OPERATOR_REPROCESS = "operator.reprocess"
    OPERATOR_RUN = "operator.run"
    HISTORY_IMPORT = "history.import"
    OPERATOR_EXCLUDE = "operator.exclude"
    OPERATOR_INCLUDE = "operator.include"
    OPERATOR_RESOLVE = "operator.resolve"
    OPERATOR_ADDED = "operator.added"
    OPERATOR_CHANGED = "operator.changed"
    OPERATOR_DELETED = "operator.deleted"
    OPERATOR_EXPORTED = "operator.exported"

    # People
    USER_SIGNED_IN = "user.signed_in"
    USER_SIGNED_OUT = "user.signed_out"
    USER_SIGN_IN_FAILED = "user.sign_in_failed"
    USER_LOCKED_OUT = "user.locked_out"
    USER_CHANGED = "user.changed"
    USER_PASSWORD_CHANGED = "user.password_changed"  # noqa: S105
    SECOND_FACTOR_SET_UP = "second_factor.set_up"
    SECOND_FACTOR_PASSED = "second_factor.passed"
    SECOND_FACTOR_FAILED = "second_factor.failed"
    SECOND_FACTOR_CODES_RENEWED = "second_factor.codes_renewed"
    SECOND_FACTOR_TURNED_OFF = "second_factor.turned_off"
    SECOND_FACTOR_RESET = "second_factor.reset"
    MEMBERSHIP_GRANTED = "membership.granted"
    MEMBERSHIP_REVOKED = "membership.revoked"
