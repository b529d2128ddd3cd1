"""One HTTP request for a file or its rest, and what the publisher's machine answered."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featbank.errors import DownloadError

if TYPE_CHECKING:
    from email.message import Message
    from types import TracebackType
    from typing import Self

    from featbank.remote import RemoteFile

# A slow archive server may think for tens of seconds before the first byte.
_TIMEOUT_S = 60.0
_SCHEMES = ("http", "https")
# What a server says when it is busy or broken for now (RFC 9110, 15.5.9 and 15.6; RFC 6585, 4).
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_LONGEST_PAUSE_S = 120.0
_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


class PassingError(Exception):
    """A failure that another attempt may not meet.

    Args:
        reason: What happened, as the rest of a sentence that starts with the address.
        pause_s: How long the server asks to wait; 0 where it does not.
    """

    def __init__(self, reason: str, pause_s: float = 0.0) -> None:
        super().__init__(reason)
        self.pause_s = pause_s


@dataclass
class Answer:
    """An open answer that gives the file from some byte on.

    Attributes:
        start: Byte of the file that the body starts with.
        total: Bytes of the whole file; None where the server does not say.
        validator: Strong ETag or date that names this very content; empty where there is none.
        stream: The open body; None where the server has no further byte (416).
    """

    start: int
    total: int | None
    validator: str
    stream: http.client.HTTPResponse | None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.stream is not None:
            self.stream.close()

    def read(self, count: int) -> bytes:
        """Up to ``count`` further bytes; empty at the end.

        Raises:
            PassingError: The connection broke.
        """
        if self.stream is None:
            return b""
        try:
            return self.stream.read(count)
        except (OSError, http.client.HTTPException) as error:
            raise PassingError(f"the connection broke ({_words(error)})") from error


class _HttpOnly(urllib.request.HTTPRedirectHandler):
    """Follows redirects to other web addresses, never to files or other protocols."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: object,
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        require_web(newurl, subject=req.full_url)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type] # typed as IO[bytes]


def require_web(url: str, *, subject: str) -> None:
    """Raise ``DownloadError`` for an address that is not of the web."""
    if url.partition(":")[0].lower() not in _SCHEMES:
        raise DownloadError(
            subject, f"leads to '{url}'", "an http or https address", "Correct the address."
        )


def ask(file: RemoteFile, start: int = 0, validator: str = "") -> Answer:
    """Ask for a file from byte ``start`` on.

    Args:
        file: What is asked for.
        start: First byte wanted.
        validator: What the first bytes were part of; another content is given from byte 0.

    Raises:
        DownloadError: The address answered that it will not give the file.
        PassingError: Another attempt may do better.
    """
    require_web(file.url, subject=file.name)
    request = urllib.request.Request(file.url, headers=_headers(start, validator))
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        _HttpOnly,
    ):
        opener.add_handler(handler())
    try:
        return _accepted(file, opener.open(request, timeout=_TIMEOUT_S), start)
    except urllib.error.HTTPError as error:
        with error:
            return _refused(file, error, start)
    except urllib.error.URLError as error:
        raise _unreached(file, error.reason) from error
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, DownloadError):
            raise
        raise PassingError(f"the connection broke ({_words(error)})") from error


def _headers(start: int, validator: str) -> dict[str, str]:
    headers = {"User-Agent": "featbank", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        headers |= {"If-Range": validator} if validator else {}
    return headers


def _accepted(file: RemoteFile, answer: http.client.HTTPResponse, start: int) -> Answer:
    encoding = answer.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        answer.close()
        raise _stop(file, f"sends the file in {encoding} encoding", "the file's own bytes")
    if answer.status == http.client.PARTIAL_CONTENT:
        return _partial(answer, start)
    length = answer.headers.get("Content-Length", "")
    total = int(length) if length.isdigit() else None
    return Answer(0, total, _validator(answer.headers), answer)


def _partial(answer: http.client.HTTPResponse, start: int) -> Answer:
    match = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if match is None or match[1] is None or int(match[1]) != start:
        answer.close()
        raise PassingError("gave another part of the file than was asked for")
    total = None if match[3] == "*" else int(match[3])
    return Answer(start, total, _validator(answer.headers), answer)


def _validator(headers: Message) -> str:
    tag = headers.get("ETag", "")
    # If-Range takes strong tags only (RFC 9110, 13.1.5).
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")


def _refused(file: RemoteFile, error: urllib.error.HTTPError, start: int) -> Answer:
    if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and start:
        match = _RANGE.fullmatch(error.headers.get("Content-Range", ""))
        known = match is not None and match[3] != "*"
        return Answer(start, int(match[3]) if match and known else None, "", None)
    said = f"answered {error.code} {error.reason}".strip()
    if error.code in _PASSING:
        pause = error.headers.get("Retry-After", "")
        raise PassingError(
            said, min(float(pause), _LONGEST_PAUSE_S) if pause.isdigit() else 0.0
        ) from error
    raise _stop(file, said, "the file") from error


def _unreached(file: RemoteFile, reason: object) -> Exception:
    if isinstance(reason, DownloadError):
        return reason
    if isinstance(reason, socket.gaierror | ConnectionRefusedError | ssl.SSLCertVerificationError):
        return _stop(file, f"cannot be reached ({_words(reason)})", "an answer")
    return PassingError(f"cannot be reached ({_words(reason)})")


def _stop(file: RemoteFile, found: str, expected: str) -> DownloadError:
    return DownloadError(
        file.url,
        found,
        expected,
        f"Check the network, or get the file by hand and save it as {file.name}.",
    )


def _words(error: object) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_TIMEOUT_S:g} s"
    text = getattr(error, "strerror", None) or str(error)
    return str(text) or type(error).__name__
