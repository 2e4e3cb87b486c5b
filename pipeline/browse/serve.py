"""Two database files and a metadata file in, a Datasette with the safe settings out. Starts no server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.utils import BadMetadataError, parse_metadata

from pipeline.errors import ConfigError, StoreError

from .counting import Counting
from .editing import Notebook

TEMPLATES = Path(__file__).parent / "templates"

# Arbitrary SQL stays closed and the file is not for download; what is open is bounded in time and size.
SETTINGS: dict[str, object] = {
    "default_allow_sql": False,
    "allow_download": False,
    "default_page_size": 50,
    "suggest_facets": False,
    "facet_time_limit_ms": 60,
    "sql_time_limit_ms": 1500,
    "truncate_cells_html": 180,
    "allow_csv_stream": True,
    "max_csv_mb": 20,
    "default_cache_ttl": 30,
}
SECRET = "NEWSBEAT_SECRET"  # noqa: S105 -- the name of the variable


def build(
    db: Path,
    feedback: Path | None,
    metadata: Path,
    *,
    title: str = "Newsbeat",
    now: str | None = None,
    base_url: str = "/",
    texts_open: bool = False,
    notebook: Notebook | None = None,
    secret: str | None = None,
    processes: int = 1,
) -> Datasette:
    """The site, ready for `uvicorn.Config(site.app(), lifespan="on", workers=1)`.

    `metadata` is config/datasette.yaml. `now` (`YYYY-MM-DDTHH:MM:SSZ`) is the moment the pages play, `None` the
    clock. `texts_open` shows whole articles to every reader: right on one's own desk, not on a public address;
    otherwise readers get the passages that matched. `notebook` keeps what editors say; without one they cannot say
    anything here. `secret` signs cookies and forms; `None` is NEWSBEAT_SECRET, else one is drawn, and cookies end
    with the process. `processes` is how many serve the same site, this one included: each allows its part of the
    tries to sign in. The files are opened read-only but never as immutable: that would ignore the write-ahead log.
    Raises `StoreError` when there is no database yet, `ConfigError` for a metadata file that cannot be read. Needs
    `await site.invoke_startup()` only where `app()` does not run it (scripts).
    """
    if not db.is_file():
        raise StoreError(f"{db}: there is no database here yet. Run `newsbeat once` first.")
    try:
        told: dict[str, Any] = parse_metadata(metadata.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise ConfigError(str(metadata), "", f"cannot be read: {error.strerror}.") from error
    except BadMetadataError as error:
        raise ConfigError(str(metadata), "", "is neither YAML nor JSON.") from error
    plugins = told.setdefault("plugins", {})
    ours = {
        "title": title, "texts": "open" if texts_open else "passages", "processes": processes,
        **({"now": now} if now else {}),
    }  # fmt: skip
    plugins["newsbeat"] = {**(plugins.get("newsbeat") or {}), **ours}
    told["title"] = title
    site = Datasette(
        [],
        metadata=told,
        settings={**SETTINGS, "base_url": base_url},
        secret=secret or os.environ.get(SECRET) or None,
        # Ours go before those of other plugins, so that the page to sign in on is one of ours too.
        template_dir=str(TEMPLATES),
    )
    site.newsbeat_notebook = notebook
    # Named here rather than after the files, so that any path serves as "news"; a Datasette without files
    # brings an empty in-memory database, which nobody asked for.
    site.remove_database("_memory")
    site.add_database(Counting(site, path=str(db), is_mutable=True), name="news")
    if feedback is not None and feedback.is_file():
        site.add_database(Counting(site, path=str(feedback), is_mutable=True), name="feedback")
    return site
