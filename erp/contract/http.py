"""HTTP to a store or an ERP: one call, one total deadline, one record, and an error named by what to do next.

What a status means is the caller's business; what a broken connection means is decided here, once: before the bytes left it is `TryLater`,
after that a read is `TryLater` and a write is `OutcomeUnknown`.
"""

import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, ProxyError, RequestException, SSLError
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from erp.contract.errors import Misconfigured, OutcomeUnknown, RemoteError, TryLater
from erp.contract.outbound import Reach, guard

CONNECT_SECONDS = 5.0
LARGEST_ANSWER = 32 * 1024 * 1024
LONGEST_NUMBER = 60  # characters of a number in an answer, and the largest power of ten
CORRELATION_HEADER = "X-Correlation-Id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What happened outward, for the audit trail. The URL holds no secret; bodies are stored encrypted by the recorder."""

    method: str
    url: str
    status: int | None  # None: no answer
    seconds: float
    sent: bytes
    received: bytes
    error: str = ""  # class of the error, "" for an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer that was read to its end."""

    status: int
    headers: Mapping[str, str] = field(repr=False)  # names are case-insensitive
    body: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON with Decimals for numbers; an empty body is None.

        :raises ValueError: if it is not JSON
        """
        return from_json(self.body) if self.body.strip() else None


def from_json(body: bytes) -> Any:
    """JSON with Decimals for numbers with a point. A number that nobody can calculate with stays the text that was written
    (`1e999999999`, `NaN`, thousands of digits): whoever reads it as an amount refuses it and names the field.

    :raises ValueError: if it is not JSON
    """
    try:
        return json.loads(body, parse_float=_number, parse_constant=str)
    except ValueError:  # also for a whole number that is longer than Python reads one
        return json.loads(body, parse_float=_number, parse_int=_whole_number, parse_constant=str)


def _number(literal: str) -> Decimal | str:
    if len(literal) > LONGEST_NUMBER:
        return literal
    if "e" not in literal and "E" not in literal:
        return Decimal(literal)
    power = int(literal.lower().rpartition("e")[2])  # written out, it would fill the memory
    return Decimal(literal) if abs(power) <= LONGEST_NUMBER else literal


def _whole_number(literal: str) -> int | str:
    return literal if len(literal) > LONGEST_NUMBER else int(literal)


def to_json(value: object) -> bytes:
    """JSON bytes in which a Decimal is written as the exact number it is; a float is refused.

    :raises TypeError: for a float or an unknown type
    """
    return _write(value).encode()


def _write(value: object) -> str:
    match value:
        case float():
            raise TypeError("a float has no place in a request")
        case Decimal():
            return format(value, "f")
        case Mapping():
            return "{" + ",".join(f"{json.dumps(str(k))}:{_write(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(_write(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def private_session(reach: Reach) -> requests.Session:
    """A session that reads nothing from the environment and keeps no cookies: nothing of one call reaches another.

    :param reach: which addresses it connects to
    """
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return guard(session, reach)


class Wire:
    """Sends calls over an injected `requests.Session`. One per connection and thread.

    :param record: hears of every call, answered or not; it must not raise
    :param correlation_id: sent as `X-Correlation-Id`
    """

    def __init__(
        self,
        session: requests.Session,
        *,
        record: Callable[[Call], None],
        correlation_id: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._session.trust_env = False
        self._record = record
        self._clock = clock
        self.correlation_id = correlation_id

    def send(
        self,
        method: str,
        url: str,
        *,
        writes: bool,
        deadline: float,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes = b"",
        before_sending: Callable[[], None] | None = None,
    ) -> Answer:
        """One call; redirects are not followed; the whole answer is read before `deadline` seconds have passed.

        :param writes: whether the call may change something there
        :param before_sending: the last act before the bytes leave; it may raise, and its time counts towards the deadline
        :raises TryLater: nothing was applied
        :raises OutcomeUnknown: a write may have been applied
        :raises Misconfigured: the TLS certificate, the proxy or what the address leads to is not what it should be
        """
        started = self._clock()
        status: int | None = None
        received = b""
        failure: RemoteError | None = None
        prepared = self._session.prepare_request(
            requests.Request(
                method, url, params=dict(params or {}), data=body or None, headers=self._headers(headers)
            )
        )
        left = deadline
        if before_sending:
            before_sending()
            left = self._time_left(started, deadline, url)
        try:
            with self._session.send(
                prepared,
                timeout=(min(CONNECT_SECONDS, left), left),
                allow_redirects=False,
                **self._session.merge_environment_settings(prepared.url, {}, True, None, None),
            ) as response:
                status = response.status_code
                received = self._read(response, started, deadline)
                return Answer(status=status, headers=response.headers, body=received)
        except (_TooLate, RequestException, HTTPError) as error:
            failure = _classify(error, url, writes)
            raise failure from error
        except Misconfigured as error:  # an address that we do not call
            failure = error
            raise
        finally:
            self._record(
                Call(
                    method=method,
                    url=prepared.url or url,
                    status=status,
                    seconds=self._clock() - started,
                    sent=body,
                    received=received,
                    error=type(failure).__name__ if failure else "",
                )
            )

    def _time_left(self, started: float, deadline: float, url: str) -> float:
        """A process that stood still since its last check (suspended, starved) may have been overtaken: it sends nothing more."""
        left = started + deadline - self._clock()
        if left <= 0:
            host = urlsplit(url).hostname or "the server"
            raise TryLater(f"{host}: this worker stood still for too long before sending. Nothing was sent.")
        return left

    def _headers(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        return (
            {CORRELATION_HEADER: self.correlation_id, **(headers or {})}
            if self.correlation_id
            else dict(headers or {})
        )

    def _read(self, response: requests.Response, started: float, deadline: float) -> bytes:
        chunks: list[bytes] = []
        size = 0
        # `read1` gives back what is there: a whole block that comes byte by byte would outlast any deadline.
        while chunk := response.raw.read1(64 * 1024, decode_content=True):
            size += len(chunk)
            if self._clock() > started + deadline or size > LARGEST_ANSWER:
                raise _TooLate(f"no complete answer within {deadline:g} seconds")
            chunks.append(chunk)
        return b"".join(chunks)


class _TooLate(Exception):
    pass


def _classify(error: _TooLate | RequestException | HTTPError, url: str, writes: bool) -> RemoteError:
    host = urlsplit(url).hostname or "the server"
    if isinstance(error, _TooLate):
        return _broken(url, writes, str(error))
    if isinstance(error, SSLError) and not _cut_off(error):
        return Misconfigured(
            f"The TLS certificate of {host} was not accepted. Add its CA or pin its certificate on the connection."
        )
    if isinstance(error, ProxyError):
        return Misconfigured(
            f"The outbound proxy did not let us through to {host}. Check the proxy address on the connection."
        )
    if isinstance(error, ConnectTimeout) or _never_connected(error):
        return TryLater(f"{host} cannot be reached.")
    return _broken(url, writes, "the connection broke before an answer came")


def _cut_off(error: BaseException | None) -> bool:
    """Whether the other side ended an encrypted connection in the middle: nothing is wrong with its certificate then."""
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
        return True
    inner = [getattr(error, "reason", None), *getattr(error, "args", ())]
    return any(isinstance(each, BaseException) and _cut_off(each) for each in inner)


def _never_connected(error: Exception) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(error, RequestsConnectionError) and (
        isinstance(cause, NewConnectionError)
        or (isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError))
    )


def _broken(url: str, writes: bool, what: str) -> RemoteError:
    host = urlsplit(url).hostname or "the server"
    if writes:
        return OutcomeUnknown(
            f"{host}: {what}. It may have been carried out: we look it up before sending it again."
        )
    return TryLater(f"{host}: {what}.")
