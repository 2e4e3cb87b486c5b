"""URL to Response, politely and safely; the only opener of sockets for reading.

`Web.get` makes one request (and its redirects), within the limits of the fetch contract: addresses checked where the
socket opens (guard.py), a gap and a cap per host (pace.py), sizes counted while decoding (wire.py), one total deadline.
"""

from pipeline.fetch.guard import Guard
from pipeline.fetch.pace import Pacer
from pipeline.fetch.web import Answer, Web

__all__ = ["Answer", "Guard", "Pacer", "Web"]
