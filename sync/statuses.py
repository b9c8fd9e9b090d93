"""The one table from which a posting's status follows."""

from erp.contract.plan import Outcome
from sync.models import Status

STATUS_OF_OUTCOME = {
    Outcome.NOT_DUE: Status.NOT_DUE,
    Outcome.BLOCKED: Status.BLOCKED,
    Outcome.HELD: Status.HELD,
    Outcome.REFUSED: Status.REFUSED,
    Outcome.BEFORE_GO_LIVE: Status.BEFORE_GO_LIVE,
    Outcome.NOTHING: Status.EXCLUDED,
    Outcome.READY: Status.POSTED,  # once its documents are; until then a failure decides (sync.failures)
}

# Statuses that wait for a person; everything else heals by itself or is finished.
NEEDS_A_PERSON = (Status.BLOCKED, Status.HELD, Status.REFUSED)
