"""The shape of news.db, as named steps that are never edited after a release. DDL, and what is derived.

Times are UTC text, `YYYY-MM-DDTHH:MM:SSZ`. Every reference is a foreign key, so that Datasette links it.
Each step runs in one transaction together with the record that it ran (sqlite-utils' `Migrations`).
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from pipeline.store.names import NAME, names_of
from pipeline.store.rollups import MOMENT, ROLLUPS, TRIGGERS

migrations = Migrations("newsbeat")


def _run(db: Database, *statements: str) -> None:
    for statement in statements:
        db.conn.execute(statement)


@migrations()
def m0001_outlets_and_feeds(db: Database) -> None:
    """Who publishes, what we poll, and what each poll came to."""
    _run(
        db,
        """CREATE TABLE outlets (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            domain TEXT,
            family TEXT NOT NULL
        )""",
        """CREATE TABLE feeds (
            id INTEGER PRIMARY KEY,
            url TEXT NOT NULL UNIQUE,
            title TEXT,
            outlet_id INTEGER REFERENCES outlets(id),
            state TEXT NOT NULL DEFAULT 'ok'
                CHECK (state IN ('ok', 'failing', 'gone', 'moved', 'paused')),
            current_url TEXT NOT NULL,
            every_s INTEGER,
            etag TEXT,
            last_modified TEXT,
            validators_url TEXT,
            body_hash TEXT,
            same_bodies INTEGER NOT NULL DEFAULT 0,
            next_poll_at TEXT,
            failures INTEGER NOT NULL DEFAULT 0,
            gone_seen INTEGER NOT NULL DEFAULT 0,
            moved_to TEXT,
            moved_seen INTEGER NOT NULL DEFAULT 0,
            rhythm TEXT,
            hint_s INTEGER,
            fresh_s INTEGER,
            skip_hours TEXT,
            skip_days TEXT,
            added_at TEXT NOT NULL,
            last_polled_at TEXT,
            last_ok_at TEXT,
            last_new_at TEXT,
            last_error TEXT,
            last_error_at TEXT,
            error_kind TEXT,
            error_since TEXT
        )""",
        # The tick asks "who is due" every few seconds; a feed that is gone or paused is never due.
        """CREATE INDEX feeds_due ON feeds(next_poll_at) WHERE state NOT IN ('gone', 'paused')""",
        """CREATE INDEX feeds_outlet ON feeds(outlet_id)""",
        """CREATE TABLE polls (
            id INTEGER PRIMARY KEY,
            feed_id INTEGER NOT NULL REFERENCES feeds(id),
            started_at TEXT NOT NULL,
            outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'not_modified', 'failed')),
            status INTEGER,
            new INTEGER NOT NULL DEFAULT 0,
            revised INTEGER NOT NULL DEFAULT 0,
            unchanged INTEGER NOT NULL DEFAULT 0,
            skipped INTEGER NOT NULL DEFAULT 0,
            bytes INTEGER NOT NULL DEFAULT 0,
            ms INTEGER NOT NULL DEFAULT 0,
            next_poll_at TEXT,
            why TEXT NOT NULL DEFAULT ''
        )""",
        """CREATE INDEX polls_feed ON polls(feed_id, started_at)""",
        """CREATE INDEX polls_started ON polls(started_at)""",
        """CREATE TABLE hosts (
            host TEXT PRIMARY KEY,
            next_ok_at TEXT NOT NULL,
            why TEXT NOT NULL
        )""",
    )


@migrations()
def m0002_articles(db: Database) -> None:
    """Each article once, every name it was seen under, and every wording it had."""
    _run(
        db,
        """CREATE TABLE articles (
            id INTEGER PRIMARY KEY,
            url TEXT NOT NULL UNIQUE,
            outlet_id INTEGER NOT NULL REFERENCES outlets(id),
            title TEXT,
            summary TEXT,
            lang TEXT,
            authors TEXT,
            published_at TEXT,
            first_seen_at TEXT NOT NULL,
            text_from TEXT NOT NULL CHECK (text_from IN ('content', 'summary', 'page', 'title')),
            copy_of INTEGER REFERENCES articles(id),
            text_hash TEXT NOT NULL,
            revision_count INTEGER NOT NULL DEFAULT 1
        )""",
        """CREATE INDEX articles_outlet ON articles(outlet_id, first_seen_at)""",
        """CREATE INDEX articles_published ON articles(published_at)""",
        """CREATE INDEX articles_first_seen ON articles(first_seen_at)""",
        """CREATE INDEX articles_copy_of ON articles(copy_of) WHERE copy_of IS NOT NULL""",
        """CREATE INDEX articles_revised ON articles(revision_count) WHERE revision_count > 1""",
        """CREATE TABLE article_texts (
            article_id INTEGER PRIMARY KEY REFERENCES articles(id),
            text TEXT NOT NULL
        )""",
        # The full-text index reads its words through this view, so that bodies are stored once.
        """CREATE VIEW article_words AS
            SELECT a.id AS id, a.title AS title, a.summary AS summary, t.text AS text
            FROM articles a JOIN article_texts t ON t.article_id = a.id""",
        """CREATE VIRTUAL TABLE articles_fts USING fts5(
            title, summary, text,
            content='article_words', content_rowid='id',
            tokenize='porter unicode61 remove_diacritics 2'
        )""",
        """CREATE TABLE entries (
            feed_id INTEGER NOT NULL REFERENCES feeds(id),
            guid TEXT NOT NULL,
            article_id INTEGER NOT NULL REFERENCES articles(id),
            link TEXT,
            raw_hash TEXT NOT NULL,
            first_seen_at TEXT NOT NULL,
            last_seen_at TEXT NOT NULL,
            PRIMARY KEY (feed_id, guid)
        )""",
        """CREATE INDEX entries_article ON entries(article_id)""",
        """CREATE TABLE revisions (
            article_id INTEGER NOT NULL REFERENCES articles(id),
            n INTEGER NOT NULL,
            seen_at TEXT NOT NULL,
            title TEXT,
            summary TEXT,
            text_hash TEXT NOT NULL,
            kind TEXT NOT NULL,
            text TEXT,
            PRIMARY KEY (article_id, n)
        )""",
        # "Headlines that were changed, newest first": later wordings only, which are few.
        """CREATE INDEX revisions_later ON revisions(seen_at) WHERE n > 1""",
    )


@migrations()
def m0003_stories_and_topics(db: Database) -> None:
    """What is derived: stories, topics and who matched. All of it can be rebuilt."""
    _run(
        db,
        """CREATE TABLE stories (
            id INTEGER PRIMARY KEY,
            title TEXT NOT NULL,
            first_at TEXT NOT NULL,
            last_at TEXT NOT NULL,
            article_count INTEGER NOT NULL,
            outlet_count INTEGER NOT NULL,
            family_count INTEGER NOT NULL
        )""",
        """CREATE INDEX stories_last ON stories(last_at, family_count)""",
        """CREATE TABLE story_articles (
            story_id INTEGER NOT NULL REFERENCES stories(id),
            article_id INTEGER NOT NULL UNIQUE REFERENCES articles(id),
            similarity REAL NOT NULL,
            PRIMARY KEY (story_id, article_id)
        )""",
        # By these words (as hashes) recent articles find each other, and by their fingerprints they are compared.
        # Rows older than the window are of no use and are deleted.
        """CREATE TABLE story_words (
            word INTEGER NOT NULL,
            article_id INTEGER NOT NULL REFERENCES articles(id),
            PRIMARY KEY (word, article_id)
        ) WITHOUT ROWID""",
        """CREATE TABLE story_prints (
            article_id INTEGER PRIMARY KEY REFERENCES articles(id),
            print BLOB NOT NULL
        )""",
        """CREATE TABLE topics (
            slug TEXT PRIMARY KEY,
            title TEXT NOT NULL,
            profile_hash TEXT NOT NULL,
            seed TEXT,
            threshold REAL NOT NULL,
            profile TEXT NOT NULL,
            active INTEGER NOT NULL DEFAULT 1
        )""",
        """CREATE TABLE article_topics (
            article_id INTEGER NOT NULL REFERENCES articles(id),
            topic TEXT NOT NULL REFERENCES topics(slug),
            score REAL NOT NULL,
            on_topic INTEGER NOT NULL,
            evidence TEXT NOT NULL,
            profile_hash TEXT NOT NULL,
            published_at TEXT NOT NULL,
            PRIMARY KEY (article_id, topic)
        )""",
        """CREATE INDEX article_topics_on ON article_topics(topic, published_at) WHERE on_topic = 1""",
        # The front page and the feed of everything ask for the newest across all topics.
        """CREATE INDEX article_topics_newest ON article_topics(published_at) WHERE on_topic = 1""",
        # Near misses are asked for by time first: last year's closest call is no news.
        """CREATE INDEX article_topics_near ON article_topics(topic, published_at) WHERE on_topic = 0""",
        """CREATE INDEX article_topics_score ON article_topics(topic, score)""",
        """CREATE VIEW articles_browse AS
            SELECT a.id, a.title, o.name AS outlet, o.family, a.published_at, a.first_seen_at,
                a.url, a.copy_of, a.revision_count - 1 AS edits, s.story_id
            FROM articles a
            JOIN outlets o ON o.id = a.outlet_id
            LEFT JOIN story_articles s ON s.article_id = a.id""",
    )


@migrations()
def m0004_archives_and_websub(db: Database) -> None:
    """Older documents of a feed, each asked for once (RFC 5005), and what hubs send us by themselves (W3C WebSub)."""
    _run(
        db,
        """CREATE TABLE archives (
            feed_id INTEGER NOT NULL REFERENCES feeds(id),
            url TEXT NOT NULL,
            fetched_at TEXT,
            PRIMARY KEY (feed_id, url)
        )""",
        """CREATE TABLE websub (
            feed_id INTEGER PRIMARY KEY REFERENCES feeds(id),
            hub_url TEXT NOT NULL,
            topic_url TEXT NOT NULL,
            callback_url TEXT UNIQUE,
            secret TEXT,
            state TEXT NOT NULL DEFAULT 'offered'
                CHECK (state IN ('offered', 'asked', 'confirmed', 'renewing', 'denied', 'leaving')),
            asked_at TEXT,
            lease_until TEXT,
            next_try_at TEXT,
            failures INTEGER NOT NULL DEFAULT 0,
            delivered_at TEXT,
            why TEXT
        )""",
        # The service asks "what is to do" at every tick.
        """CREATE INDEX websub_next ON websub(next_try_at)""",
    )


@migrations()
def m0005_exceptions_and_wishes(db: Database) -> None:
    """What the operator decided about one feed, what its server asked for, and what a person should be told."""
    _run(
        db,
        """ALTER TABLE feeds ADD COLUMN certificate TEXT""",
        """ALTER TABLE feeds ADD COLUMN not_before TEXT""",
        """ALTER TABLE feeds ADD COLUMN flaw TEXT""",
        """ALTER TABLE feeds ADD COLUMN asked_for_at TEXT""",
        """CREATE TABLE notices (
            id INTEGER PRIMARY KEY,
            about TEXT NOT NULL,
            said TEXT NOT NULL,
            since TEXT NOT NULL
        )""",
    )


@migrations()
def m0006_names_kinds_and_agencies(db: Database) -> None:
    """By what an article is known again (its pages, its headlines), what an edit changed, and which agency wrote it."""
    _run(
        db,
        # A name is a 64-bit hash: every page and every headline an article was seen under.
        """CREATE TABLE article_names (
            name INTEGER NOT NULL,
            article_id INTEGER NOT NULL REFERENCES articles(id),
            PRIMARY KEY (name, article_id)
        ) WITHOUT ROWID""",
        """ALTER TABLE articles ADD COLUMN agency TEXT""",
        """CREATE INDEX articles_agency ON articles(agency, first_seen_at) WHERE agency IS NOT NULL""",
        """ALTER TABLE revisions ADD COLUMN changed TEXT""",
        """ALTER TABLE revisions ADD COLUMN returns INTEGER NOT NULL DEFAULT 0""",
        """ALTER TABLE revisions ADD COLUMN returned_at TEXT""",
    )
    pages = db.execute("SELECT id, url, title FROM articles ORDER BY id")
    db.conn.executemany(NAME, (row for article_id, *names in pages for row in names_of(article_id, *names)))
    links = db.execute("SELECT article_id, link, NULL FROM entries WHERE link IS NOT NULL")
    db.conn.executemany(NAME, (row for article_id, *names in links for row in names_of(article_id, *names)))


@migrations()
def m0007_windows_of_stories(db: Database) -> None:
    """Neighbours are found by word and day, stories are compared by their centres, and what became one is recorded."""
    _run(
        db,
        "DROP TABLE story_words",
        "DELETE FROM story_prints",
        # One row a word and day: how many articles are known by it, and the ids of the latest (32 bits each). Word 0
        # counts them all. Days count from 1970; those no window reaches are deleted.
        """CREATE TABLE story_words (
            word INTEGER NOT NULL,
            day INTEGER NOT NULL,
            n INTEGER NOT NULL,
            latest BLOB NOT NULL,
            PRIMARY KEY (word, day)
        ) WITHOUT ROWID""",
        """CREATE TABLE story_centres (
            story_id INTEGER PRIMARY KEY REFERENCES stories(id) ON DELETE CASCADE,
            n INTEGER NOT NULL,
            centre BLOB NOT NULL,
            first_at TEXT NOT NULL,
            last_at TEXT NOT NULL,
            central_id INTEGER REFERENCES articles(id)
        )""",
        """CREATE INDEX story_centres_last ON story_centres(last_at)""",
        # A story that became part of another: its address still leads somewhere.
        """CREATE TABLE story_merges (
            story INTEGER PRIMARY KEY,
            into_id INTEGER NOT NULL REFERENCES stories(id) ON DELETE CASCADE,
            last_at TEXT NOT NULL
        )""",
    )


@migrations()
def m0009_verdicts(db: Database) -> None:
    """Who decided a verdict, and how far the archive is judged anew after a profile changed."""
    _run(
        db,
        """ALTER TABLE article_topics ADD COLUMN decided_by TEXT NOT NULL DEFAULT 'score'
            CHECK (decided_by IN ('score', 'rule', 'person'))""",
        """ALTER TABLE article_topics ADD COLUMN why TEXT NOT NULL DEFAULT ''""",
        # Articles up to `judged_to` are judged by the present profile, those after it up to `judge_until` are not yet;
        # both empty when there is nothing to do.
        """ALTER TABLE topics ADD COLUMN judged_to INTEGER""",
        """ALTER TABLE topics ADD COLUMN judge_until INTEGER""",
        # "How many tags are of an older profile" is asked by every `status`.
        """CREATE INDEX article_topics_stale ON article_topics(topic, profile_hash)""",
        """CREATE INDEX article_topics_said ON article_topics(topic, article_id) WHERE decided_by = 'person'""",
    )


@migrations()
def m0014_pruned(db: Database) -> None:
    """By what an article that was let go of is known, should a feed list it again."""
    _run(
        db,
        # A name is a 64-bit hash, of a page or of an entry; an article leaves two or three behind.
        """CREATE TABLE pruned (
            name INTEGER PRIMARY KEY,
            on_day TEXT NOT NULL
        )""",
    )


@migrations()
def m0015_numbers_kept(db: Database) -> None:
    """Numbers that pages show, kept by the database itself with every write: articles by day, topics by day, outlet and
    story, and when each report of a story appeared. `rollups.py` says what they must be."""
    _run(
        db,
        # `first_article` is a lower bound: no article first seen that day has a lower number.
        """CREATE TABLE article_days (
            day TEXT PRIMARY KEY,
            articles INTEGER NOT NULL,
            first_article INTEGER NOT NULL
        )""",
        """CREATE TABLE topic_days (
            topic TEXT NOT NULL REFERENCES topics(slug),
            day TEXT NOT NULL,
            articles INTEGER NOT NULL,
            PRIMARY KEY (topic, day)
        ) WITHOUT ROWID""",
        """CREATE TABLE topic_outlets (
            topic TEXT NOT NULL REFERENCES topics(slug),
            day TEXT NOT NULL,
            outlet_id INTEGER NOT NULL REFERENCES outlets(id),
            articles INTEGER NOT NULL,
            wire INTEGER NOT NULL,
            PRIMARY KEY (topic, day, outlet_id)
        ) WITHOUT ROWID""",
        """CREATE TABLE story_topics (
            story_id INTEGER NOT NULL REFERENCES stories(id) ON DELETE CASCADE,
            topic TEXT NOT NULL REFERENCES topics(slug),
            articles INTEGER NOT NULL,
            last_at TEXT NOT NULL,
            PRIMARY KEY (story_id, topic)
        ) WITHOUT ROWID""",
        """CREATE INDEX story_topics_last ON story_topics(topic, last_at)""",
        """ALTER TABLE story_articles ADD COLUMN appeared_at TEXT""",
        f"UPDATE story_articles SET appeared_at = {MOMENT}",  # noqa: S608
        """CREATE INDEX story_articles_time ON story_articles(story_id, appeared_at)""",
        # The front page looks at what several newsrooms had of late; most stories are one newsroom's.
        """CREATE INDEX stories_wide ON stories(last_at, family_count, article_count, first_at)
            WHERE family_count > 1""",
        # Who goes through a feed's polls reads the index alone.
        """DROP INDEX polls_feed""",
        """CREATE INDEX polls_feed ON polls(feed_id, started_at, outcome, new, ms)""",
        # Without it, a look at one article's names, and letting go of an article, goes through all names.
        """CREATE INDEX article_names_article ON article_names(article_id)""",
        *(f"INSERT INTO {table} {truth}" for table, truth in ROLLUPS.items()),
        *TRIGGERS,
    )
