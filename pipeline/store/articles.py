"""The tables `articles`, `article_texts`, `articles_fts`, `article_names` and `entries`: each article once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from pipeline.model import Article, Entry, Former, Headlined, Known, Revision, TextFrom
from pipeline.store.names import NAME, headline_name, names_of, page_name
from pipeline.text import line
from pipeline.times import from_stamp, maybe_stamp, stamp
from pipeline.urls import canonical

_KNOWN = """
    SELECT a.id, a.url, a.title, a.summary, a.text_hash,
        (SELECT f.url FROM feeds f WHERE f.id = coalesce(
            (SELECT h.feed_id FROM entries h WHERE h.article_id = a.id
                AND h.link NOT LIKE 'https://news.google.com/%' ORDER BY h.rowid LIMIT 1),
            (SELECT h.feed_id FROM entries h WHERE h.article_id = a.id ORDER BY h.rowid LIMIT 1)))
"""
# An article's home is the feed that brought it first; an aggregator's only until the outlet's own brings it. Asked in
# the order of the index: sorting would cost a tenth of this look-up, which every entry of every poll takes.

AUTHORS = "; "
"""What divides several authors in the column; no name holds it."""


class Articles:
    """Reads and writes articles and their names; every write stands in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def known(self, feed_id: int, entries: Sequence[Entry]) -> tuple[dict[str, Known], dict[str, Known]]:
        """What is stored of these entries: by this feed's guid, and by URL over all feeds. Two look-ups by index."""
        by_guid = {
            row[7]: Known(*row[:7])
            for row in self._db.execute(
                # CROSS keeps the order: left to itself, SQLite walks through all the feed's entries of all times.
                _KNOWN + ", e.raw_hash, e.guid FROM json_each(?) j"
                " CROSS JOIN entries e ON e.feed_id = ? AND e.guid = j.value JOIN articles a ON a.id = e.article_id",
                (json.dumps([entry.guid for entry in entries]), feed_id),
            )
        }
        unnamed = {page_name(entry.url): entry.url for entry in entries if entry.url and entry.guid not in by_guid}
        by_page: dict[int, Known] = {}
        for row in self._db.execute(
            _KNOWN + ", j.value FROM json_each(?) j CROSS JOIN article_names n ON n.name = j.value"
            " JOIN articles a ON a.id = n.article_id ORDER BY a.id",
            (json.dumps(list(unnamed)),),
        ):
            by_page.setdefault(row[6], Known(*row[:6]))
        by_url = {
            entry.url: by_page[name] for entry in entries if entry.url and (name := page_name(entry.url)) in by_page
        }
        return by_guid, by_url

    def headlined(self, titles: Iterable[str | None]) -> dict[int, list[Headlined]]:
        """The stored articles under these headlines, word for word, by `headline_name`; the latest twenty of each."""
        names = {name for title in titles if (name := headline_name(line(title))) is not None}
        found: dict[int, list[Headlined]] = {}
        rows = self._db.execute(
            _KNOWN + ", j.value, o.name, a.published_at,"  # noqa: S608
            " (SELECT max(e.last_seen_at) FROM entries e WHERE e.article_id = a.id), a.first_seen_at"
            " FROM json_each(?) j CROSS JOIN articles a ON a.id IN"
            " (SELECT n.article_id FROM article_names n WHERE n.name = j.value ORDER BY n.article_id DESC LIMIT 20)"
            " JOIN outlets o ON o.id = a.outlet_id",
            (json.dumps(list(names)),),
        )
        for row in rows:
            one = Headlined(Known(*row[:6]), row[7], from_stamp(row[8]), _at(row[9] or row[10]))
            found.setdefault(row[6], []).append(one)
        return found

    def former(self, feed_id: int, unnamed: Sequence[Entry], named: Sequence[str]) -> list[Former]:
        """Entries of this feed, none of them under a guid in `named`, that share the page, or title and date, with one
        of `unnamed`. By index, and only when there is something without a name."""
        if not unnamed:
            return []
        words = [(line(e.title), maybe_stamp(e.published_at)) for e in unnamed if e.title and e.published_at]
        rows = self._db.execute(
            _KNOWN + ", e.guid, e.link, a.published_at FROM (SELECT a.id FROM json_each(?) j"  # noqa: S608
            " JOIN articles a ON a.url = j.value"
            " UNION SELECT a.id FROM json_each(?) j JOIN articles a"
            " ON a.published_at = j.value ->> 1 AND a.title = j.value ->> 0) AS found"
            " JOIN articles a ON a.id = found.id JOIN entries e ON e.article_id = a.id AND e.feed_id = ?"
            " WHERE e.guid NOT IN (SELECT value FROM json_each(?)) ORDER BY e.last_seen_at DESC, e.rowid DESC",
            (json.dumps([e.url for e in unnamed if e.url]), json.dumps(words), feed_id, json.dumps(list(named))),
        )
        return [Former(row[6], row[7], from_stamp(row[8]), Known(*row[:6])) for row in rows]

    def rename(self, feed_id: int, renamed: Iterable[tuple[str, str]]) -> None:
        """Entries of this feed go on under another guid: (old, new)."""
        self._db.executemany(
            "UPDATE OR IGNORE entries SET guid = ? WHERE feed_id = ? AND guid = ?",
            [(new, feed_id, old) for old, new in renamed],
        )

    def add(self, article: Article, outlet_id: int) -> int | None:
        """A new article with its text and its first wording; `None` when its URL is there already."""
        row = self._db.execute(
            """INSERT INTO articles (url, outlet_id, title, summary, lang, authors, published_at, first_seen_at,
                text_from, text_hash, agency) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (url) DO NOTHING RETURNING id""",
            (
                article.url, outlet_id, article.title, article.summary, article.lang,
                AUTHORS.join(article.authors) or None, maybe_stamp(article.published_at),
                stamp(article.first_seen_at), article.text_from, article.text_hash, article.agency,
            ),
        ).fetchone()  # fmt: skip
        if row is None:
            return None
        self._db.execute("INSERT INTO article_texts (article_id, text) VALUES (?, ?)", (row[0], article.text))
        self._db.executemany(NAME, names_of(row[0], article.url, article.title))
        self._revision(row[0], 1, article, ("first",), article.first_seen_at)
        return int(row[0])

    def revise(self, article_id: int, article: Article, changed: Sequence[str], now: datetime) -> None:
        """A new wording: the old text moves to its revision, the article shows the new one, first_seen_at stays.
        `changed` says what is new in it, most telling first."""
        n = self._db.execute("SELECT revision_count FROM articles WHERE id = ?", (article_id,)).fetchone()[0] + 1
        self._reword(article_id, article)
        self._db.execute("UPDATE articles SET revision_count = ? WHERE id = ?", (n, article_id))
        self._revision(article_id, n, article, changed, now)
        self._db.executemany(NAME, names_of(article_id, None, article.title))
        self.index([article_id])

    def wording(self, article_id: int, text_hash: str) -> int | None:
        """The number of the article's wording in these words; `None` when it never had one."""
        row = self._db.execute(
            "SELECT n FROM revisions WHERE article_id = ? AND text_hash = ? ORDER BY n LIMIT 1", (article_id, text_hash)
        ).fetchone()
        return int(row[0]) if row else None

    def come_back(self, article_id: int, n: int, article: Article, now: datetime) -> None:
        """The article shows its wording `n` again: counted there, and no new row however often it happens."""
        self._reword(article_id, article)
        self._db.execute(
            "UPDATE revisions SET returns = returns + 1, returned_at = ?, text = NULL WHERE article_id = ? AND n = ?",
            (stamp(now), article_id, n),
        )
        self.index([article_id])

    def _reword(self, article_id: int, article: Article) -> None:
        """Puts another wording in place of the present one, whose text moves to its revision."""
        self._unindex([article_id])
        self._db.execute(
            "UPDATE revisions SET text = (SELECT text FROM article_texts WHERE article_id = ?1) WHERE article_id = ?1"
            " AND n = (SELECT r.n FROM revisions r JOIN articles a ON a.id = r.article_id WHERE a.id = ?1"
            " ORDER BY r.text_hash = a.text_hash DESC, r.n DESC LIMIT 1)",
            (article_id,),
        )
        self._db.execute(
            "UPDATE articles SET title = ?, summary = ?, authors = coalesce(?, authors), text_from = ?, text_hash = ?,"
            " published_at = coalesce(published_at, ?), agency = coalesce(?, agency) WHERE id = ?",
            (
                article.title, article.summary, AUTHORS.join(article.authors) or None, article.text_from,
                article.text_hash, maybe_stamp(article.published_at), article.agency, article_id,
            ),
        )  # fmt: skip
        self._db.execute("UPDATE article_texts SET text = ? WHERE article_id = ?", (article.text, article_id))

    def adopt(self, article_id: int, article: Article) -> None:
        """Gives an article that only an aggregator named the address and the words of its outlet. No revision: the
        headline is the same, and more was not known."""
        self._unindex([article_id])
        self._db.execute(
            "UPDATE revisions SET title = ?, summary = ?, text_hash = ? WHERE article_id = ? AND n ="
            " (SELECT max(n) FROM revisions WHERE article_id = ?)",
            (article.title, article.summary, article.text_hash, article_id, article_id),
        )
        self._db.execute(
            "UPDATE articles SET url = ?, title = ?, summary = ?, lang = coalesce(?, lang),"
            " authors = coalesce(?, authors), published_at = coalesce(?, published_at), text_from = ?, text_hash = ?,"
            " agency = coalesce(?, agency) WHERE id = ?",
            (
                article.url, article.title, article.summary, article.lang, AUTHORS.join(article.authors) or None,
                maybe_stamp(article.published_at), article.text_from, article.text_hash, article.agency, article_id,
            ),
        )  # fmt: skip
        self._db.execute("UPDATE article_texts SET text = ? WHERE article_id = ?", (article.text, article_id))
        self._db.executemany(NAME, names_of(article_id, article.url, article.title))
        self.index([article_id])

    def _revision(self, article_id: int, n: int, article: Article, changed: Sequence[str], now: datetime) -> None:
        self._db.execute(
            "INSERT INTO revisions (article_id, n, seen_at, title, summary, text_hash, kind, changed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                article_id, n, stamp(now), article.title, article.summary, article.text_hash, changed[0],
                ",".join(changed) if n > 1 else None,
            ),
        )  # fmt: skip

    def index(self, article_ids: Sequence[int]) -> None:
        """Puts articles into the full-text index, in one statement for all."""
        self._db.execute(
            "INSERT INTO articles_fts (rowid, title, summary, text)"
            " SELECT w.id, w.title, w.summary, w.text FROM json_each(?) j JOIN article_words w ON w.id = j.value",
            (json.dumps(list(article_ids)),),
        )

    def _unindex(self, article_ids: Sequence[int]) -> None:
        self._db.execute(
            "INSERT INTO articles_fts (articles_fts, rowid, title, summary, text)"
            " SELECT 'delete', w.id, w.title, w.summary, w.text"
            " FROM json_each(?) j JOIN article_words w ON w.id = j.value",
            (json.dumps(list(article_ids)),),
        )

    def name(self, feed_id: int, names: Iterable[tuple[Entry, int]], now: datetime) -> None:
        """Records under which guid and link this feed shows these articles."""
        at = stamp(now)
        self._db.executemany(
            """INSERT INTO entries (feed_id, guid, article_id, link, raw_hash, first_seen_at, last_seen_at)
            VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (feed_id, guid) DO UPDATE SET
                article_id = excluded.article_id, link = excluded.link, raw_hash = excluded.raw_hash,
                last_seen_at = excluded.last_seen_at""",
            [(feed_id, entry.guid, article_id, entry.url, entry.raw_hash, at, at) for entry, article_id in names],
        )
        self._db.executemany(
            NAME, [row for entry, article_id in names for row in names_of(article_id, entry.url, None)]
        )

    def still_there(self, feed_id: int, entries: Sequence[Entry], now: datetime) -> None:
        """Notes that these entries were seen again."""
        self._db.execute(
            "UPDATE entries SET last_seen_at = ? WHERE feed_id = ? AND guid IN (SELECT value FROM json_each(?))",
            (stamp(now), feed_id, json.dumps([entry.guid for entry in entries])),
        )

    def titles(self, article_id: int) -> tuple[str, ...]:
        """Every headline the article had, oldest first."""
        rows = self._db.execute("SELECT title FROM revisions WHERE article_id = ? ORDER BY n", (article_id,))
        return tuple(row[0] for row in rows if row[0])

    def revisions(self, article_id: int) -> tuple[Revision, ...]:
        """Every wording of an article, oldest first."""
        rows = self._db.execute(
            "SELECT a.url, r.n, r.title, r.summary, r.text_hash, r.kind, r.seen_at FROM revisions r"
            " JOIN articles a ON a.id = r.article_id WHERE r.article_id = ? ORDER BY r.n",
            (article_id,),
        )
        return tuple(
            Revision(url, n, title, summary, text_hash, kind, _at(seen))
            for url, n, title, summary, text_hash, kind, seen in rows
        )

    def find(self, which: str) -> Article | None:
        """An article by its id or any address of its page; `None` when there is none."""
        column = "id" if which.isdigit() else "url"
        found = next(self._read(f"a.{column} = ?", (which,)), None)
        if found or which.isdigit():
            return found
        name = page_name(canonical(which) or which)
        return next(self._read("a.id = (SELECT min(article_id) FROM article_names WHERE name = ?)", (name,)), None)

    def ids(self, urls: Sequence[str]) -> dict[str, int]:
        """The ids of the articles at these addresses; an address that is not stored is left out."""
        rows = self._db.execute(
            "SELECT a.url, a.id FROM json_each(?) j JOIN articles a ON a.url = j.value", (json.dumps(list(urls)),)
        )
        return dict(rows.fetchall())

    def get(self, article_ids: Sequence[int]) -> list[Article]:
        """These articles, in the order of their ids."""
        return list(
            self._read("a.id IN (SELECT value FROM json_each(?)) ORDER BY a.id", (json.dumps(list(article_ids)),))
        )

    def texts(self, article_ids: Sequence[int]) -> dict[int, str]:
        """The texts of these articles by id."""
        if not article_ids:
            return {}
        rows = self._db.execute(
            "SELECT article_id, text FROM article_texts WHERE article_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(article_ids)),),
        )
        return {row[0]: row[1] for row in rows}

    def all(self, after: int = 0) -> Iterator[Article]:
        """Every article with an id above `after`, in order of first sight, a few hundred at a time."""
        while batch := list(self._read("a.id > ? ORDER BY a.id LIMIT 500", (after,))):
            yield from batch
            after = batch[-1].id or 0

    def latest(self, most: int) -> Iterator[Article]:
        """The articles that came last, the last first."""
        rows = self._db.execute("SELECT id FROM articles ORDER BY id DESC LIMIT ?", (most,)).fetchall()
        for at in range(0, len(rows), 100):
            yield from reversed(self.get([row[0] for row in rows[at : at + 100]]))

    def newest_at(self) -> datetime | None:
        """When an article was last new; `None` in an empty archive."""
        row = self._db.execute("SELECT first_seen_at FROM articles ORDER BY id DESC LIMIT 1").fetchone()
        return from_stamp(row[0]) if row else None

    def oldest_at(self) -> datetime | None:
        """When the archive began."""
        row = self._db.execute("SELECT first_seen_at FROM articles ORDER BY id LIMIT 1").fetchone()
        return from_stamp(row[0]) if row else None

    def _read(self, where: str, values: tuple[object, ...]) -> Iterator[Article]:
        rows = self._db.execute(
            # `where` is one of this class's own conditions; what comes from outside is bound.
            "SELECT a.url, o.name, a.title, a.summary, t.text, a.text_from, a.lang, a.authors, a.published_at,"  # noqa: S608
            " a.first_seen_at, a.text_hash, a.id, a.agency FROM articles a JOIN outlets o ON o.id = a.outlet_id"
            f" JOIN article_texts t ON t.article_id = a.id WHERE {where}",
            values,
        )
        for (
            url,
            outlet,
            title,
            summary,
            text,
            text_from,
            lang,
            authors,
            published,
            seen,
            text_hash,
            row_id,
            agency,
        ) in rows:
            origin: TextFrom = text_from
            yield Article(
                url=url,
                outlet=outlet,
                title=title,
                summary=summary,
                text=text,
                text_from=origin,
                lang=lang,
                authors=tuple(authors.split(AUTHORS)) if authors else (),
                published_at=from_stamp(published),
                first_seen_at=_at(seen),
                text_hash=text_hash,
                id=row_id,
                agency=agency,
            )


def _at(value: str) -> datetime:
    moment = from_stamp(value)
    assert moment is not None
    return moment
