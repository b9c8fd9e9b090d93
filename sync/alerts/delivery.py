"""Messages leave from rows: what a dead mail server did not take is still there when it is back.

Each destination is served in order, so that an end never arrives before its beginning. At least once: a process that
dies between sending and writing that down sends again, under the same message id.
"""

import base64
import hashlib
import hmac
import smtplib
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from audit.calls import record_call
from audit.encryption import WrongKey
from erp.contract.errors import Misconfigured, RemoteError
from erp.contract.http import Call, Wire, private_session, to_json
from erp.contract.outbound import Reach
from sync.alerts.destinations import signing_key, validate_address
from sync.alerts.mail import mail_of
from sync.models import AlertDestination, AlertNotice, Channel, NoticeState

log = structlog.get_logger(__name__)

DEADLINE_SECONDS = 15.0  # of one webhook, from connecting to the last byte
CLAIM = timedelta(minutes=5)  # a sender that is gone for so long is taken for dead
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=3)
MOST_AT_ONCE = 50
GONE = 410  # Standard Webhooks: the receiver wants no more


class NotDelivered(Exception):
    """A message did not arrive; the text says why, without secrets."""

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


def destinations_due(now: datetime | None = None) -> list[int]:
    """Destinations that have messages to be sent now."""
    due = AlertNotice.objects.filter(due_at__lte=now or timezone.now(), destination__enabled=True)
    return list(due.order_by("destination_id").values_list("destination_id", flat=True).distinct())


def deliver(destination_id: int, now: datetime | None = None) -> None:
    """Send what is due for one destination, in order, up to the first that does not arrive."""
    now = now or timezone.now()
    destination = AlertDestination.objects.select_related("tenant").defer("secret").get(pk=destination_id)
    notices = _claim(destination, now)
    size = len(notices) if destination.channel == Channel.EMAIL else 1
    for start in range(0, len(notices), size or 1):
        batch = notices[start : start + size]
        try:
            send(destination, batch)
        except NotDelivered as error:
            log.warning("alert.not_delivered", destination=destination.pk, why=str(error))
            _put_off(batch, notices[start + size :], error, now)
            return
        AlertNotice.objects.filter(pk__in=[n.pk for n in batch]).update(
            state=NoticeState.SENT, due_at=None, sent_at=timezone.now(), problem=""
        )


def send(destination: AlertDestination, notices: Sequence[AlertNotice]) -> None:
    """Send messages now: one e-mail for all, or the webhook of one.

    :raises NotDelivered: it did not arrive, as far as we know
    """
    try:
        validate_address(destination)
    except ValidationError as error:
        raise NotDelivered(" ".join(error.messages)) from error
    except WrongKey as error:
        raise NotDelivered(str(error)) from error
    if destination.channel == Channel.EMAIL:
        _send_mail(destination, notices)
    else:
        for notice in notices:
            _send_webhook(destination, notice)


def again(notices: QuerySet[AlertNotice]) -> int:
    """Send what was given up once more, from the beginning; how many that are."""
    now = timezone.now()
    return notices.filter(state=NoticeState.DEAD).update(
        state=NoticeState.WAITING, tries=0, made_at=now, due_at=now
    )


def wait_after(tries: int) -> timedelta:
    """How long after so many tries: a minute, doubled up to an hour."""
    return min(FIRST_WAIT * 2 ** min(max(tries - 1, 0), 10), LONGEST_WAIT)


def _claim(destination: AlertDestination, now: datetime) -> list[AlertNotice]:
    """What is due, ours for a while: nobody else sends it meanwhile."""
    with transaction.atomic():
        due = AlertNotice.objects.select_for_update(skip_locked=True).filter(
            destination=destination, due_at__lte=now
        )
        notices = list(due.order_by("made_at", "id")[:MOST_AT_ONCE])
        AlertNotice.objects.filter(pk__in=[n.pk for n in notices]).update(due_at=now + CLAIM)
    return notices


def _put_off(
    failed: Sequence[AlertNotice], rest: Sequence[AlertNotice], error: NotDelivered, now: datetime
) -> None:
    """What failed is tried again later or given up; what was behind it waits as long, untried."""
    due_at = now + wait_after(max(n.tries for n in failed) + 1)
    for notice in failed:
        is_over = error.for_good or now - notice.made_at >= GIVEN_UP_AFTER
        AlertNotice.objects.filter(pk=notice.pk).update(
            tries=F("tries") + 1,
            problem=str(error),
            state=NoticeState.DEAD if is_over else NoticeState.WAITING,
            due_at=None if is_over else due_at,
        )
    AlertNotice.objects.filter(pk__in=[n.pk for n in rest]).update(due_at=due_at)


def _send_mail(destination: AlertDestination, notices: Sequence[AlertNotice]) -> None:
    try:
        mail_of(destination, notices).send()
    except (smtplib.SMTPException, OSError) as error:
        raise NotDelivered(f"The mail server did not take it: {_words(error)}") from error


def _words(error: Exception) -> str:
    """What went wrong, without the addresses that a refusal of recipients names."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({str(code) for code, _ in error.recipients.values()})
        return f"it refused the recipients ({', '.join(codes)})."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answered {error.smtp_code}."
    return f"{type(error).__name__}."


def _send_webhook(destination: AlertDestination, notice: AlertNotice) -> None:
    if not destination.secret:
        raise NotDelivered("The destination has no secret to sign with. “New secret” makes one.")
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(destination.address))

    def record(call: Call) -> None:  # the path may hold a secret of the receiver's
        record_call(
            **asdict(replace(call, url=origin)),
            tenant_id=destination.tenant_id,
            subject=f"destination:{destination.pk}",
        )

    body = to_json(notice.content)
    wire = Wire(private_session(reach_of(destination)), record=record)
    try:
        answer = wire.send(
            "POST",
            destination.address,
            writes=True,
            deadline=DEADLINE_SECONDS,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "Tieout",
                **signature_headers(notice.message_id, body, destination.secret, timezone.now()),
            },
            body=body,
        )
    except Misconfigured as error:
        raise NotDelivered(error.sentence) from error
    except RemoteError as error:
        why = type(error.__cause__).__name__ if error.__cause__ else "no complete answer"
        raise NotDelivered(f"{origin} could not be reached: {why}.") from error
    if not answer.is_success:
        raise NotDelivered(f"{origin} answered {answer.status}.", for_good=answer.status == GONE)


def reach_of(destination: AlertDestination) -> Reach:
    """The addresses that messages to this destination may go to: the rules of everything that leaves this installation."""
    return Reach(private=destination.private_network, loopback=settings.TIEOUT_ALLOW_LOOPBACK)


def signature_headers(message_id: str, body: bytes, secret: str, at: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks 1.0: the signature is over id, time and body."""
    stamp = str(int(at.timestamp()))
    signed = b".".join([message_id.encode(), stamp.encode(), body])
    digest = hmac.new(signing_key(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
