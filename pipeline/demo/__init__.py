"""The demo: ten days of an invented newsroom, polled by the real service on a fast clock.

`newsroom` is what is published and the truth about it, `rendering` how feeds look, `server` the loopback HTTP server
with its quirks, `clock` the fast time, `findings` what was found against what the script says, `play` the whole.
"""

from pipeline.demo.newsroom import END, START
from pipeline.demo.play import play

__all__ = ["END", "START", "play"]
