"""One call to BigCommerce's REST API: headers, limits, and what each status means.

`X-Auth-Token`, never Bearer, store hash in the path ("Authentication", 2026-04). Reads of 5xx are tried again
after at least a minute ("Status codes": 3 to 5 times, growing waits); that is the caller's queue, not a loop
here. A read that got no answer at all, or that must wait for a few seconds, is repeated within its deadline.
A write is sent once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_exponential_jitter

from erp.contract.errors import Misconfigured, OutcomeUnknown, Refused, RemoteError, TryLater
from erp.contract.http import Answer, Wire, to_json
from storefront.limits import Quota

CALL_SECONDS = 20.0
READ_SECONDS = 60.0  # one read with its repetitions
READ_ATTEMPTS = 4
SHORT_WAIT = timedelta(seconds=4)  # waited for here; longer ones go back to the queue
AFTER_SERVER_ERROR = timedelta(minutes=1)
AFTER_NOT_THERE = timedelta(seconds=10)
USER_AGENT = "Tieout"

# All that is ever written to a store. In particular there is no DELETE of orders: DELETE /v2/orders archives
# every order of the store ("Orders V2", 2026-01).
WRITES = (("POST", r"v3/hooks"), ("PUT", r"v3/hooks/\d+"), ("DELETE", r"v3/hooks/\d+"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a store is reached. `key` is its short name, for sentences."""

    key: str
    base_url: str
    store_hash: str
    access_token: str

    def __repr__(self) -> str:
        return f"Access({self.key}, {self.base_url}/stores/{self.store_hash})"

    def url(self, path: str) -> str:
        """The address of a path such as `v2/orders/100`."""
        return f"{self.base_url.rstrip('/')}/stores/{self.store_hash}/{path}"


class Transport:
    """Sends calls of one store.

    :param wire: gives the calling thread's `Wire`
    """

    def __init__(
        self,
        access: Access,
        wire: Callable[[], Wire],
        quota: Quota,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.access = access
        self._wire = wire
        self._quota = quota
        self._sleep = sleep

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """The JSON at a path; None for 204 and for an empty body.

        :raises TryLater: it cannot be read now, or is not there (a part of something that is: not yet)
        :raises Misconfigured: the token, its permissions or the address are wrong
        :raises Refused: BigCommerce does not accept the question
        """
        answer = self._read(path, params)
        if answer.status == 404:
            sentence = f"Store {self.access.key} does not have {_topic(path)} yet."
            raise self._of_store(TryLater(sentence, after=AFTER_NOT_THERE, status=404))
        return self._json(answer, path)

    def find(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """The JSON at a path, as `get`; None where there is nothing (404)."""
        answer = self._read(path, params)
        return None if answer.status == 404 else self._json(answer, path)

    def write(self, method: str, path: str, body: object = None) -> Any:
        """Send a write once and give back the JSON of the answer.

        :raises ValueError: it is none of the few writes this product makes
        :raises OutcomeUnknown: it may have been carried out
        """
        if not any(method == allowed and re.fullmatch(pattern, path) for allowed, pattern in WRITES):
            raise ValueError(f"{method} {path} is not something we send to a store")
        answer = self._send(method, path, writes=True, body=b"" if body is None else to_json(body))
        if answer.status == 404:
            raise self._of_store(Refused("BigCommerce does not have it (any more).", status=404))
        return self._json(answer, path)

    def _read(self, path: str, params: Mapping[str, str] | None) -> Answer:
        """One read, repeated within its deadline where no answer came or the wait is short."""
        retrying = Retrying(
            retry=retry_if_exception(_is_worth_repeating),
            stop=stop_after_attempt(READ_ATTEMPTS) | stop_before_delay(READ_SECONDS),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._send, "GET", path, writes=False, params=params)

    def _send(
        self,
        method: str,
        path: str,
        *,
        writes: bool,
        params: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        try:
            self._quota.take()
            answer = self._wire().send(
                method,
                self.access.url(path),
                writes=writes,
                deadline=CALL_SECONDS,
                headers=self._headers(body),
                params=params,
                body=body,
            )
            if answer.status == 429:
                raise self._quota.refused(answer.headers)
            self._quota.note(answer.headers)
            self._check(answer, path, writes)
        except RemoteError as error:
            raise self._of_store(error) from error.__cause__
        return answer

    def _headers(self, body: bytes) -> dict[str, str]:
        headers = {
            "X-Auth-Token": self.access.access_token,
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
        }
        return {**headers, "Content-Type": "application/json"} if body else headers

    def _check(self, answer: Answer, path: str, writes: bool) -> None:
        """What a status other than success means; 404 is for the caller."""
        status, where = answer.status, f"store {self.access.key}"
        if answer.is_success or status == 404:
            return
        if status == 401:
            raise Misconfigured(
                f"BigCommerce does not accept the access token of {where}. Enter a new one.", status=401
            )
        if status == 403:
            missing = (
                f"The access token of {where} may not use {_topic(path)}. Give its API account that scope."
            )
            raise Misconfigured(missing, status=403)
        if 300 <= status < 400:
            sentence = f"The API address of {where} leads elsewhere ({status}). Correct it on the store."
            raise Misconfigured(sentence, status=status)
        if status >= 500:
            raise self._server_error(status, writes)
        if status in (408, 409, 423):
            sentence = f"BigCommerce is busy with the same thing in {where} ({status})."
            raise TryLater(sentence, after=AFTER_SERVER_ERROR, status=status)
        raise Refused(f"BigCommerce refused {_topic(path)} of {where}: {_words(answer)}", status=status)

    def _server_error(self, status: int, writes: bool) -> RemoteError:
        sentence = f"BigCommerce answered store {self.access.key} with an error of its own ({status})."
        if writes:
            return OutcomeUnknown(sentence, status=status)
        return TryLater(sentence, after=AFTER_SERVER_ERROR, status=status)

    def _json(self, answer: Answer, path: str) -> Any:
        try:
            return answer.json()
        except (ValueError, RecursionError) as error:
            sentence = f"BigCommerce answered {_topic(path)} of store {self.access.key} with something that is not JSON."
            unreadable = TryLater(sentence, after=AFTER_SERVER_ERROR, status=answer.status)
            raise self._of_store(unreadable) from error

    def _of_store(self, error: RemoteError) -> RemoteError:
        error.side = "store"
        return error


def _is_worth_repeating(error: BaseException) -> bool:
    """Whether a read may be tried again right here: no answer came, or the window ends in a moment."""
    if not isinstance(error, TryLater):
        return False
    return error.status is None if error.after is None else error.after <= SHORT_WAIT


_backoff = wait_exponential_jitter(multiplier=0.2, max=5, jitter=0.2)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.after if isinstance(error, TryLater) else None
    return _backoff(state) if asked is None else asked.total_seconds() + 0.05


def _topic(path: str) -> str:
    """What a path is about, for sentences: `v2/orders/100/taxes` is "orders/taxes"."""
    return "/".join(part for part in path.split("/")[1:] if not part.isdigit())


def _words(answer: Answer) -> str:
    """BigCommerce's own words: v2 answers a list of messages, v3 a title and errors by field."""
    try:
        content = answer.json()
    except (ValueError, RecursionError):
        return f"status {answer.status}"
    found = content[0] if isinstance(content, list) and content else content
    if not isinstance(found, dict):
        return f"status {answer.status}"
    said = [str(found[name]) for name in ("title", "message", "detail") if found.get(name)]
    errors = found.get("errors")
    if isinstance(errors, dict):
        said += [f"{name}: {what}" for name, what in errors.items()]
    return "; ".join(dict.fromkeys(said))[:500] or f"status {answer.status}"
