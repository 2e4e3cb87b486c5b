"""Which addresses may be asked, checked where the socket opens (fetch contract S2 to S5).

A name is resolved once, each of its addresses is checked, and the connection goes to the checked address, so that a
second look-up cannot lead elsewhere (DNS rebinding). Host header and TLS name stay the name's.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpcore

from pipeline.fetch.meter import Metered
from pipeline.fetch.sockets import Sockets

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Awaitable[list[str]]]

METADATA = ipaddress.ip_address("169.254.169.254")
"""Where clouds hand out credentials. Never asked, whatever the configuration says."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_V4_COMPATIBLE = ipaddress.ip_network("::/96")


class RefusedAddress(httpcore.ConnectError):
    """The name leads to an address we do not ask."""


async def system_resolver(host: str, port: int) -> list[str]:
    """Every address of a host, as the system's resolver orders them. Raises OSError when there is none.

    In a daemon thread of its own: the loop's executor waits for its threads when it ends, and a name server that does
    not answer would hold up a clean stop for as long as the system's resolver is patient.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def look_up() -> None:
        found: list[str] | OSError
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        except (OSError, UnicodeError) as error:
            found = error if isinstance(error, OSError) else OSError(str(error))
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, answer, found)

    threading.Thread(target=look_up, daemon=True, name=f"look up {host}").start()
    return await answer


def _settle(answer: asyncio.Future[list[str]], found: list[str] | OSError) -> None:
    if answer.done():
        return
    if isinstance(found, OSError):
        answer.set_exception(found)
    else:
        answer.set_result(found)


class Guard(httpcore.AsyncNetworkBackend):
    """Opens connections to public addresses and to those explicitly allowed, and to nothing else."""

    def __init__(
        self,
        allow: Iterable[Network] = (),
        resolve: Resolver = system_resolver,
        backend: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._allow = tuple(allow)
        self._resolve = resolve
        self._backend = backend or Sockets()

    def why_not(self, address: str) -> str | None:
        """Why an address may not be asked, in words; `None` when it may."""
        ip = ipaddress.ip_address(address.partition("%")[0])
        inner = _embedded(ip)
        if METADATA in (ip, inner):
            return f"{address} is a cloud's metadata address"
        if any(ip in network for network in self._allow if network.version == ip.version):
            return None
        # Python calls all of NAT64 reserved; where a network has only that, it is the way to every IPv4 address.
        if not (_is_public(ip) or ip in _NAT64) or (inner is not None and not _is_public(inner)):
            return f"{address} is not a public address"
        return None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await asyncio.wait_for(self._resolve(host, port), timeout)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"looking up {host} took too long") from None
        except OSError as error:
            raise httpcore.ConnectError(f"the name {host} is not known ({error.strerror or error})") from None
        refused = [why for address in addresses if (why := self.why_not(address))]
        open_to = [address for address in addresses if not self.why_not(address)]
        if not open_to:
            raise RefusedAddress(
                f"{host} leads to an address we do not ask: {'; '.join(refused) or 'none'}."
                " If it is yours, name it in allow_addresses"
            )
        last: Exception | None = None
        for address in open_to[:3]:
            try:
                stream = await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
                return Metered(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        assert last is not None
        raise last

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise RefusedAddress("sockets of this machine are not asked")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _is_public(ip: Address) -> bool:
    site_local = isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not site_local


def _embedded(ip: Address) -> Address | None:
    """The IPv4 address inside an IPv6 one (mapped, compatible, 6to4, Teredo, NAT64), which is where it leads."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip.ipv4_mapped:
        return ip.ipv4_mapped
    if ip.sixtofour:
        return ip.sixtofour
    if ip.teredo:
        return ip.teredo[1]
    if ip in _NAT64 or (ip in _V4_COMPATIBLE and int(ip) > 1):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None
