"""Whose certificates are believed, and the exceptions an operator makes for one feed (fetch contract S6).

Everybody's is checked against what the machine trusts. An exception is `any` (nothing is checked, for that host) or
`sha256:` and 64 hex digits: this one certificate and no other, looked at before the first byte of a request goes out.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterable
from functools import cache
from typing import Any

import httpcore

ANY = "any"
_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")


class WrongCertificate(httpcore.ConnectError):
    """The server shows another certificate than the one that is expected of it."""


@cache
def checked() -> ssl.SSLContext:
    """What the machine trusts; reading it takes long enough to do it once."""
    return ssl.create_default_context()


@cache
def unchecked() -> ssl.SSLContext:
    """TLS as good as `checked`, with whoever answers."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Pinned(httpcore.AsyncNetworkBackend):
    """Opens connections as another backend does, and ends those that show another certificate than the expected."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend, certificate: str) -> None:
        assert _FINGERPRINT.fullmatch(certificate), certificate
        self._backend, self._certificate = backend, certificate

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Pinned(stream, self._certificate)

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


class _Pinned(httpcore.AsyncNetworkStream):
    """A connection that is not yet secured; what `start_tls` gives is the plain stream over the right certificate."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, certificate: str) -> None:
        self._stream, self._certificate = stream, certificate

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        secured = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        shown = secured.get_extra_info("ssl_object").getpeercert(binary_form=True)
        found = f"sha256:{hashlib.sha256(shown or b'').hexdigest()}"
        if found != self._certificate:
            await secured.aclose()
            raise WrongCertificate(
                f"the server shows another certificate ({found}) than the one its entry in feeds.toml expects"
            )
        return secured

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
