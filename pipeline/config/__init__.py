"""Files in `config/` to checked values; the only reader of TOML.

`load` reads everything and returns a Setup, or raises ConfigErrors with every finding at once, each with file, key,
finding and cure. `doubts` names what is allowed and yet worth a look. `fingerprint` says whether a file changed since.
`add_feeds` writes into feeds.toml, `write_topic` into a topic's file. Secrets are never in these files: they come from
the environment.
"""

from pipeline.config.doubts import doubts
from pipeline.config.load import fingerprint, load, load_to_ask, topic
from pipeline.config.shapes import parse_duration
from pipeline.config.tuning import Edit, retuned, write_topic
from pipeline.config.values import FetchSettings, Setup, SiteSettings, WebsubSettings
from pipeline.config.write import Group, add_feeds, feed
from pipeline.errors import ConfigErrors

__all__ = [
    "ConfigErrors",
    "Edit",
    "FetchSettings",
    "Group",
    "Setup",
    "SiteSettings",
    "WebsubSettings",
    "add_feeds",
    "doubts",
    "feed",
    "fingerprint",
    "load",
    "load_to_ask",
    "parse_duration",
    "retuned",
    "topic",
    "write_topic",
]
