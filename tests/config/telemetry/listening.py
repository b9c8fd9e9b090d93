"""A local HTTP server that keeps whatever is sent to it: a collector, or Sentry."""

import gzip
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Listener:
    """What arrived: path, headers and decompressed body of each request."""

    url: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def everything(self) -> bytes:
        return b"\n".join(
            b"%s %r %s" % (path.encode(), headers, body) for path, headers, body in self.requests
        )

    def bodies(self) -> list[bytes]:
        return [body for _, _, body in self.requests]


@contextmanager
def listening() -> Iterator[Listener]:
    """Listen on a free port of this machine until the block ends."""
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            decode = {"gzip": gzip.decompress, "deflate": zlib.decompress}.get(
                self.headers["Content-Encoding"], bytes
            )
            listener.requests.append((self.path, dict(self.headers), decode(body)))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.url = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
