"""The other side of a message: a mail server and a webhook receiver, over real sockets."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class MailServer:
    """Takes mails by SMTP (RFC 5321, the few commands a client needs); refuses them while it is told to."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refuses: bool = False

    def conversation(self, handler: socketserver.StreamRequestHandler) -> None:
        def say(line: str) -> None:
            handler.wfile.write(f"{line}\r\n".encode())

        to: list[str] = []
        say("220 mail.test")
        while line := handler.rfile.readline():
            match line.split()[0].upper() if line.split() else b"":
                case b"EHLO" | b"HELO":
                    say("250 mail.test")
                case b"MAIL" if self.refuses:
                    say("451 not now")
                case b"RCPT":
                    to.append(line.decode().partition("<")[2].partition(">")[0])
                    say("250 ok")
                case b"DATA":
                    say("354 go on")
                    body = b"".join(iter(handler.rfile.readline, b".\r\n")).replace(b"\n..", b"\n.")
                    self.mails.append(message_from_bytes(body, policy=policy.default))
                    self.recipients.append(to)
                    to = []
                    say("250 taken")
                case b"QUIT":
                    say("221 bye")
                    return
                case _:
                    say("250 ok")


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A mail server on 127.0.0.1."""
    mail = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            mail.conversation(self)

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        mail.port = port
        yield mail


@dataclass
class Receiver:
    """Takes webhooks; answers with `status`."""

    url: str = ""
    status: int = 204
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.seen]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A webhook receiver on 127.0.0.1."""
    taker = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taker.seen.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(taker.status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Nothing."""

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        taker.url = f"http://127.0.0.1:{port}/in"
        yield taker


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
