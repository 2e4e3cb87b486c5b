"""One request and its redirects, as a polite stranger would make it (fetch contract, sections 2 and 4 to 7)."""

from __future__ import annotations

import asyncio
import errno
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import quote, urljoin, urlsplit

import httpcore
import httpx

from pipeline import __version__
from pipeline.errors import FetchError
from pipeline.fetch import tls, wire
from pipeline.fetch.guard import Guard, RefusedAddress
from pipeline.fetch.meter import Budget, metered
from pipeline.fetch.pace import Pacer
from pipeline.hiding import bare
from pipeline.model import NotModified, Response
from pipeline.times import retry_after

Answer = Response | NotModified

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json,"
    " application/xml;q=0.9, text/xml;q=0.8, application/json;q=0.8, */*;q=0.1"
)
MAX_HEADERS = 1000
MAX_HEADER_BYTES = 64 * 1024
_PERMANENT = (301, 308)
_REDIRECTS = (301, 302, 303, 307, 308)
_ASCII = bytes(range(128))
_AS_IT_IS = bytes(set(range(0x21, 0x7F)) - set(b'"<>'))
_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN)


def user_agent(contact: str) -> str:
    """`newsbeat/VERSION (+CONTACT)`: who we are and how to reach us (contract Q2)."""
    return f"newsbeat/{__version__} ({'+' if '@' not in contact.split('://')[0] else ''}{contact})"


class Web:
    """The only door out. Made once, shared by every poll; `close` when done."""

    def __init__(
        self,
        *,
        contact: str,
        guard: Guard,
        pacer: Pacer,
        limits: wire.Limits,
        connect_timeout: float,
        read_timeout: float,
        deadline: float,
        max_redirects: int,
        now: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._pacer, self._limits, self._deadline = pacer, limits, deadline
        self._max_redirects, self._now = max_redirects, now
        self._guard, self._contact = guard, contact
        self._guard = guard
        self._timeout = httpx.Timeout(read_timeout, connect=connect_timeout, pool=deadline).as_dict()
        self._headers = (
            (b"User-Agent", user_agent(contact).encode()),
            (b"Accept", ACCEPT.encode()),
            (b"Accept-Encoding", ", ".join(wire.CODINGS).encode()),
            (b"Connection", b"keep-alive"),
        )
        # httpx's client on top of its transport would add cookies, redirects and authentication, none of which is
        # wanted here (contract Q5, section 4), at the price of as much again.
        self._transport = transport or _transport(guard, tls.checked())
        self._excepted: dict[str, httpx.AsyncBaseTransport] = {}

    def _transport_for(self, certificate: str | None) -> httpx.AsyncBaseTransport:
        """A transport of its own for each exception: no connection made under one is ever used for anybody else."""
        if certificate is None:
            return self._transport
        if certificate not in self._excepted:
            backend = tls.Pinned(self._guard, certificate) if certificate != tls.ANY else self._guard
            self._excepted[certificate] = _transport(backend, tls.unchecked())
        return self._excepted[certificate]

    async def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        waited: bool = False,
        certificate: str | None = None,
    ) -> Answer:
        """The answer to one GET, redirects followed, complete and decoded.

        Validators go out byte for byte as they came in, to the URL that gave them and along redirects to it. A redirect
        that asks to wait (Retry-After) is followed only when the caller has `waited` since it met it. `certificate` is
        an exception for the host of `url` alone (see tls.py): where a redirect leads to another, that one is checked.

        Raises FetchError for everything else: a status that is no success, a limit reached, an address refused, a wire
        cut.
        """
        validators = {}
        if etag is not None:
            validators["If-None-Match"] = etag
            validators["A-IM"] = "feed"  # against an entity tag the server may send what is new alone (RFC 3229)
        if last_modified is not None:
            validators["If-Modified-Since"] = last_modified
        asked, current = url, url
        permanent: str | None = None
        leading = True
        # The deadline runs per poll over all hops, but not while we wait for the host's turn: that wait is ours.
        left = self._deadline
        for _ in range(self._max_redirects + 1):
            _check_scheme(current)
            host = urlsplit(current).hostname or ""
            transport = self._transport_for(certificate if host == urlsplit(asked).hostname else None)
            async with self._pacer.turn(host) as sent:
                started = time.monotonic()
                answer = await self._one(transport, asked, current, validators, left, waited, sent)
                left -= time.monotonic() - started
            if isinstance(answer, str):
                status, _, location = answer.partition(" ")
                target = _target(current, location)
                leading = leading and int(status) in _PERMANENT
                permanent = target if leading else permanent
                current = target
                continue
            if isinstance(answer, NotModified):
                return NotModified(asked, current, answer.headers, answer.fetched_at, permanent)
            return Response(
                asked,
                current,
                answer.status,
                answer.headers,
                answer.body,
                answer.fetched_at,
                permanent,
                answer.wire_bytes,
            )
        raise FetchError(url, f"more than {self._max_redirects} redirects", kind="redirect")

    async def post(self, url: str, form: Mapping[str, str]) -> int:
        """The status of one POST of a form, for hubs; what else is answered is not read.

        Through the same guard and pacing as `get`. Redirects are followed where they keep the method (307, 308).
        """
        current = url
        for _ in range(self._max_redirects + 1):
            _check_scheme(current)
            async with self._pacer.turn(urlsplit(current).hostname or "") as sent:
                answer = await self._one(self._transport, url, current, {}, self._deadline, False, sent, form)
            assert isinstance(answer, str)
            status, _, location = answer.partition(" ")
            if status not in ("307", "308") or not location:
                return int(status)
            current = _target(current, location)
        raise FetchError(url, f"more than {self._max_redirects} redirects", kind="redirect")

    async def _one(
        self,
        transport: httpx.AsyncBaseTransport,
        asked: str,
        url: str,
        validators: dict[str, str],
        left: float,
        waited: bool,
        sent: Callable[[], None],
        form: Mapping[str, str] | None = None,
    ) -> Answer | str:
        """One hop: an answer, or "STATUS LOCATION" of a redirect, and of whatever a `form` is answered.

        `sent` is called when the request goes onto the wire.
        """

        budget = Budget(url)

        async def trace(event: str, _info: object) -> None:
            # When it is out, not when it begins: in between, the loop may be busy with something else.
            if event.endswith("send_request_headers.complete"):
                sent()
            elif event.endswith("receive_response_headers.complete"):
                budget.body_begins(self._limits.wire)

        try:
            with metered(budget):
                async with asyncio.timeout(max(left, 0.001)):
                    method = "GET" if form is None else "POST"
                    request = httpx.Request(
                        method, url, headers=[*self._headers, *_latin(validators)], data=form,
                        extensions={"trace": trace, "target": _on_the_wire(url), "timeout": self._timeout},
                    )  # fmt: skip
                    reply = await transport.handle_async_request(request)
                    reply.request = request
                    try:
                        if form is not None:
                            return f"{reply.status_code} {reply.headers.get('location', '')}"
                        return await self._read(asked, url, reply, waited)
                    finally:
                        await reply.aclose()
        except TimeoutError:
            raise FetchError(url, f"no complete answer within {self._deadline:g} s", kind="timeout") from None
        except httpx.TimeoutException:
            raise FetchError(url, "the server does not answer", kind="timeout") from None
        except httpx.RemoteProtocolError as error:
            kind = "truncated" if "incomplete" in str(error) or "without sending" in str(error) else "protocol"
            raise FetchError(url, f"the answer breaks off or breaks HTTP ({error})", kind=kind) from None
        except httpx.TransportError as error:
            raise _connect_error(url, error) from None
        except (httpx.InvalidURL, UnicodeError) as error:
            raise FetchError(url, f"not an address we can ask ({error})", kind="scheme") from None

    async def _read(self, asked: str, url: str, reply: httpx.Response, waited: bool) -> Answer | str:
        status = reply.status_code
        headers = tuple((key.decode("latin-1").lower(), value.decode("latin-1")) for key, value in reply.headers.raw)
        if len(headers) > MAX_HEADERS or sum(len(k) + len(v) for k, v in headers) > MAX_HEADER_BYTES:
            raise FetchError(url, "more headers than any feed needs", kind="too_big", status=status)
        now = self._now()
        if status == 304:
            # It has no body (RFC 9110, 15.4.5); reading that to its end leaves the connection good for the next feed.
            await reply.aread()
            return NotModified(asked, url, headers, now)
        location = next((value for key, value in headers if key == "location"), None)
        wait = retry_after(dict(reversed(headers)).get("retry-after"), dict(reversed(headers)).get("date"), now)
        if status in _REDIRECTS and location:
            if wait and not waited:
                why = f"the server redirects ({status}) and asks to wait before that"
                raise FetchError(url, why, kind="wait", status=status, retry_after=wait)
            return f"{status} {location}"
        if status not in (200, 203, 226):
            raise FetchError(
                url,
                f"the server answered {status} {reply.reason_phrase}".strip(),
                kind="status",
                status=status,
                retry_after=wait,
            )
        encoding = ",".join(value for key, value in headers if key == "content-encoding").lower()
        codings = tuple(c for part in encoding.split(",") if (c := part.strip()) not in wire.NO_CODING)
        body, size = await wire.body(reply.aiter_raw(), codings, self._limits, url)
        return Response(asked, url, status, headers, body, now, None, size)

    async def close(self) -> None:
        """Closes what connections are kept alive."""
        for transport in (self._transport, *self._excepted.values()):
            await transport.aclose()


def _transport(backend: httpcore.AsyncNetworkBackend, context: ssl.SSLContext) -> httpx.AsyncHTTPTransport:
    """httpx over a connection pool whose sockets the guard opens."""
    transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False)
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=context,
        max_connections=256,
        max_keepalive_connections=64,
        keepalive_expiry=5.0,
        http1=True,
        http2=False,
        network_backend=backend,
    )
    return transport


def _latin(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(key.encode("ascii"), value.encode("latin-1")) for key, value in headers.items()]


def _on_the_wire(url: str) -> bytes:
    """Path and query as subscribed, byte for byte (contract Q1); only what no request line can hold is encoded.

    Left to itself, httpx would take `/a/../b` for `/b`.
    """
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query or url.partition("#")[0].endswith("?") else "")
    return quote(path, safe=_AS_IT_IS).encode("ascii")


def _check_scheme(url: str) -> None:
    try:
        scheme = urlsplit(url).scheme.lower()
    except ValueError as error:
        raise FetchError(url, f"not an address we can ask ({error})", kind="scheme") from None
    if scheme not in ("http", "https"):
        raise FetchError(url, f"{scheme or 'no scheme'}: only http and https are asked", kind="scheme")


def _target(current: str, location: str) -> str:
    """Where a redirect leads, absolute, without fragment or password; from https only to https (contract R4, R5).

    Bytes beyond ASCII are percent-encoded as they stand, as browsers do: most often they are UTF-8.
    """
    try:
        ascii_only = quote(location.strip().encode("latin-1"), safe=_ASCII)
        target = bare(urljoin(current, ascii_only).partition("#")[0])
        parts = urlsplit(target)
    except ValueError as error:
        raise FetchError(current, f"redirects to no address ({error})", kind="redirect") from None
    if urlsplit(current).scheme == "https" and parts.scheme == "http":
        raise FetchError(current, f"redirects from https to http ({target}), which is refused", kind="redirect")
    if target == current:
        raise FetchError(current, "redirects to itself", kind="redirect")
    return target


def _connect_error(url: str, error: httpx.TransportError) -> FetchError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, RefusedAddress):
            return FetchError(url, str(cause), kind="address")
        if isinstance(cause, tls.WrongCertificate):
            return FetchError(url, str(cause), kind="tls")
        if isinstance(cause, ssl.SSLError):
            return FetchError(url, f"its certificate or TLS is not in order ({cause})", kind="tls")
        if isinstance(cause, OSError) and cause.errno in _NO_WAY:
            return FetchError(url, f"no way there ({cause.strerror})", kind="unreachable")
        cause = cause.__cause__ or cause.__context__
    if "is not known" in str(error):
        return FetchError(url, str(error), kind="dns")
    return FetchError(url, f"no connection ({error or type(error).__name__})", kind="connect")
