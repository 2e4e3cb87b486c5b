"""Is the monitor alive, how is a feed, what cures it: judged once for the site, its metrics and `doctor`. Pure.

Times are aware UTC, or `None` for "never".
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Literal

from pipeline.times import spoken

SILENT_AFTER = timedelta(hours=1)
"""So long without one good poll, of any feed, and something is wrong with us rather than with an outlet."""

UNSTEADY_FOR = timedelta(hours=48)
"""So long after its last trouble a feed that works again is called unsteady."""

QUIET_AFTER = timedelta(days=30)
"""So long without anything new, and a feed whose rhythm is not known is called silent."""

Kind = Literal["gone", "failing", "moved", "shaky", "quiet", "ok", "paused"]

CARE: tuple[Kind, ...] = ("gone", "failing", "moved")
"""The kinds that wait for a person."""


def silence(last_ok_at: datetime | None, now: datetime) -> str | None:
    """Why nothing is heard from outside, in words; `None` while all is well."""
    if last_ok_at is None:
        return "no poll has succeeded yet"
    if now - last_ok_at > SILENT_AFTER:
        return f"no poll has succeeded for {spoken(now - last_ok_at)}"
    return None


def kind(state: str, failures: int, last_error_at: datetime | None, silent: bool, now: datetime) -> Kind:
    """What a person would say of a feed. `state` as in `feeds.state`; the rest is looked at where that says "ok".

    `silent` is the word of `care.silent`: whether it brings nothing, against its own rhythm.
    """
    if state in ("gone", "failing", "moved", "paused"):
        return state  # type: ignore[return-value]  # one of the four
    if failures or (last_error_at and now - last_error_at <= UNSTEADY_FOR):
        return "shaky"
    return "quiet" if silent else "ok"


# What a poll's trouble means for the person who runs this, and what to do. First match wins.
_CURES = (
    (r"\bmoved\b", "Put the new address into config/feeds.toml; until then we follow it there."),
    (r"\b(404|410|gone)\b", "The address is gone. Find the feed's new address on the outlet's site and change it "
     "in config/feeds.toml."),
    (r"\b(401|403|forbidden|unauthori[sz]ed)\b", "The outlet turns us away. Check `contact` in "
     "config/newsbeat.toml, ask the outlet, or drop the feed."),
    (r"\b429\b|too many", "The outlet finds us too frequent. Give the feed a longer `every`; we already wait."),
    (r"\b5\d\d\b|server error|unavailable", "Trouble at the outlet's end. Nothing to do: we keep asking, less often."),
    (r"time[d ]?-?\s?out", "The server answers too slowly. Usually passes; if it lasts, try the address in a browser."),
    (r"\bdns\b|resolve|name or service|not known|getaddrinfo", "The host name is not found. Check the address for a "
     "typing error; the site may have moved."),
    (r"another certificate", "The server's certificate is not the one that `certificate` in config/feeds.toml expects. "
     "If it was renewed, put the new one there."),
    (r"\btls\b|\bssl\b|certificate", "The outlet's certificate is not valid. Try the address in a browser; the outlet "
     "has to renew it. If it is your own server, `certificate` in config/feeds.toml makes an exception."),
    (r"address .*(not allowed|refused|private)|private address|loopback", "The address leads into a private network. "
     "If that is meant, name it in `allow_addresses`."),
    (r"refused|unreachable|reset|connect", "No connection. The site may be down; we keep asking, less often."),
    (r"not a feed|html|malformed|parse|no entries|xml", "What came is not a feed. Run `newsbeat feeds add` with the "
     "site's address to find the right one."),
    (r"too (big|large)|bomb|limit", "The answer is larger than allowed. Raise the limit in config/newsbeat.toml if "
     "the feed is worth it."),
    (r"redirect", "The address keeps redirecting. Put the final address into config/feeds.toml."),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), words) for pattern, words in _CURES)
_UNKNOWN = "Open the address in a browser to see what the outlet answers; `newsbeat feeds list` says more."


def cure(error: str | None) -> str:
    """What to do about a feed's last error, in one or two sentences, commands in backticks; "" when there was none."""
    if not error or not error.strip():
        return ""
    return next((words for pattern, words in _COMPILED if pattern.search(error)), _UNKNOWN)
