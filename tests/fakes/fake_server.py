"""A web server in a thread that gives one file and misbehaves as told."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Publisher:
    """What the server gives, and how.

    Attributes:
        content: The file's bytes.
        etag: Its ETag header; empty sends none.
        takes_ranges: Whether Range requests are honoured.
        drop_after: Bytes of a body after which connections are cut, one entry an answer.
        statuses: Statuses answered before anything else, one entry a request.
        headers: Further headers of each answer.
        length: Content-Length to claim; None claims the true one, -1 none.
        location: Redirect target of ``/moved``.
        requests: Headers of each request so far.
        pause: Called before each chunk of a body.
    """

    content: bytes
    etag: str = '"one"'
    takes_ranges: bool = True
    drop_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    location: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)
    pause: Callable[[], object] = lambda: None
    port: int = 0

    @property
    def url(self) -> str:
        """The file's address."""
        return f"http://127.0.0.1:{self.port}/file.bin"


@contextmanager
def serving(publisher: Publisher) -> Iterator[Publisher]:
    """A server that runs while the block does."""
    handler = type("Bound", (_Handler,), {"publisher": publisher})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        publisher.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield publisher
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    publisher: Publisher

    def log_message(self, *args: object) -> None:
        """Stay quiet."""

    def do_GET(self) -> None:
        publisher = self.publisher
        publisher.requests.append(dict(self.headers))
        if publisher.statuses:
            self.bare(publisher.statuses.pop(0), {})
        elif self.path == "/moved":
            self.bare(302, {"Location": publisher.location})
        else:
            self.give(self.wanted())

    def wanted(self) -> int:
        publisher = self.publisher
        asked = self.headers.get("Range")
        same = self.headers.get("If-Range", publisher.etag) == publisher.etag
        if not asked or not publisher.takes_ranges or not same:
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def give(self, start: int) -> None:
        publisher, total = self.publisher, len(self.publisher.content)
        if start >= total:
            self.bare(416, {"Content-Range": f"bytes */{total}"})
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if publisher.length != -1:
            length = total - start if publisher.length is None else publisher.length
            self.send_header("Content-Length", str(length))
        self.finish_headers()
        self.send_body(publisher.content[start:])

    def send_body(self, body: bytes) -> None:
        limit = self.publisher.drop_after.pop(0) if self.publisher.drop_after else len(body)
        try:
            for at in range(0, min(limit, len(body)), 1 << 14):
                self.publisher.pause()
                self.wfile.write(body[at : min(at + (1 << 14), limit)])
        except ConnectionError:
            return
        self.close_connection = True

    def bare(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.finish_headers()

    def finish_headers(self) -> None:
        if self.publisher.etag:
            self.send_header("ETag", self.publisher.etag)
        for name, value in self.publisher.headers.items():
            self.send_header(name, value)
        self.end_headers()
