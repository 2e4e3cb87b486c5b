"""Every question the site asks of news.db, and the only SQL of the site. Reading only.

The habit: choose ids first, through an index and with a limit, and join names to the few that are left. Lists of
ids travel as one JSON parameter. `all_queries()` hands each question with an example to the test that asks
SQLite for its plan: none may scan `articles` or `article_topics`.
"""

# ruff: noqa: S608 -- what is put together here are constants of this file; values travel as parameters

from __future__ import annotations

from .asking import DATABASE, FEEDBACK, PATIENT, Query, Row, answered, first, ids, rows

__all__ = ["DATABASE", "FEEDBACK", "PATIENT", "Query", "Row", "answered", "first", "ids", "rows"]

_SINCE = {"since": "2020-12-01T00:00:00Z"}
_IDS = {"ids": "[1, 2, 3]"}
_ACTIVE = "(SELECT slug FROM topics WHERE active = 1)"
# When an article appeared, as its outlet says it, else as we saw it.
_AT = "coalesce(a.published_at, a.first_seen_at)"

# --- health ---------------------------------------------------------------------------------------------------

FEED_STATES = Query(
    "SELECT state, count(*) AS n, max(last_ok_at) AS last_ok_at, max(last_polled_at) AS last_polled_at"
    " FROM feeds GROUP BY state"
)
NEW_ARTICLES = Query("SELECT count(*) AS n FROM articles WHERE first_seen_at >= :since", _SINCE)

LATE_FEEDS = Query(
    "SELECT count(*) AS n FROM feeds WHERE state NOT IN ('gone', 'paused') AND next_poll_at < :before",
    {"before": "2020-12-01T00:00:00Z"},
)
POLLS_SINCE = Query("SELECT outcome, count(*) AS n FROM polls WHERE started_at >= :since GROUP BY outcome", _SINCE)
NEWEST_ARTICLE = Query("SELECT max(id) AS id FROM articles")
NOTICES = Query("SELECT count(*) AS n FROM notices")
SIZE = Query("SELECT page_count * page_size AS n FROM pragma_page_count(), pragma_page_size()")

# Those that may hold a key: an address with parameters.
FEED_ADDRESSES = Query(
    "SELECT url, current_url, validators_url FROM feeds WHERE url LIKE '%?%' OR current_url LIKE '%?%'"
)

# --- topics ---------------------------------------------------------------------------------------------------

TOPICS = Query("SELECT slug, title, threshold FROM topics WHERE active = 1 ORDER BY title")
TOPIC = Query(
    "SELECT slug, title, threshold, profile_hash, seed, profile, active, judged_to, judge_until FROM topics"
    " WHERE slug = :topic",
    {"topic": "tiktok"},
)
TOPIC_DAYS = Query(
    "SELECT d.topic, d.day, d.articles AS n FROM topics p CROSS JOIN topic_days d ON d.topic = p.slug"
    " AND d.day >= :since WHERE p.active = 1",
    _SINCE,
)
TOPIC_COUNTS = Query(
    "SELECT topic, count(*) AS n FROM article_topics"
    f" WHERE on_topic = 1 AND topic IN {_ACTIVE} AND published_at >= :since GROUP BY topic",
    _SINCE,
)
ONE_TOPIC_DAYS = Query(
    "SELECT day, articles AS n FROM topic_days WHERE topic = :topic AND day >= :since", {"topic": "tiktok", **_SINCE}
)
TOPIC_ARTICLES = Query(
    "SELECT article_id, topic, score, evidence, published_at FROM article_topics"
    " WHERE on_topic = 1 AND topic = :topic AND published_at <= :before"
    " AND (published_at < :before OR article_id < :before_id)"
    " ORDER BY published_at DESC, article_id DESC LIMIT :most",
    {"topic": "tiktok", "before": "9999", "before_id": 0, "most": 50},
)
TOPIC_STORIES = Query(
    "SELECT s.id, s.title, s.first_at, s.last_at, s.article_count, s.outlet_count, s.family_count"
    " FROM story_topics st CROSS JOIN stories s ON s.id = st.story_id WHERE st.topic = :topic AND st.last_at >= :since"
    " ORDER BY s.family_count DESC, s.article_count DESC, s.last_at DESC LIMIT :most",
    {"topic": "tiktok", "most": 8, **_SINCE},
)
TOPIC_OUTLETS = Query(
    "SELECT o.id, o.name, o.family, sum(d.articles) AS n FROM topic_outlets d CROSS JOIN outlets o"
    " ON o.id = d.outlet_id WHERE d.topic = :topic AND d.day >= :since GROUP BY o.id ORDER BY n DESC, o.name",
    {"topic": "tiktok", **_SINCE},
)
# The plus keeps SQLite from going by score, through the near misses of all years.
NEAR_MISSES = Query(
    "SELECT article_id, topic, score, evidence, published_at FROM article_topics"
    " WHERE on_topic = 0 AND topic = :topic AND published_at >= :since AND +score >= :floor"
    " AND decided_by <> 'person'"
    " ORDER BY +score DESC, published_at DESC LIMIT :most",
    {"topic": "tiktok", "floor": 0.1, "most": 8, **_SINCE},
)
# What `learn.questions` chooses from: the latest on either side, without those that a rule keeps out.
_SIDE = (
    "SELECT article_id, score, published_at FROM article_topics WHERE on_topic = {} AND topic = :topic"
    " AND published_at >= :since AND decided_by <> 'rule' ORDER BY published_at DESC LIMIT :most"
)
QUESTION_POOL = Query(
    "SELECT near.article_id, near.score, near.published_at,"
    " coalesce(sa.story_id, -coalesce(copies.copy_of, near.article_id)) AS story"
    f" FROM (SELECT * FROM ({_SIDE.format(1)}) UNION ALL SELECT * FROM ({_SIDE.format(0)})) AS near"
    " CROSS JOIN articles AS copies ON copies.id = near.article_id"
    " LEFT JOIN story_articles AS sa ON sa.article_id = near.article_id",
    {"topic": "tiktok", "most": 300, **_SINCE},
)
SAID = Query(
    "SELECT article_id, score, on_topic, published_at FROM article_topics"
    " WHERE decided_by = 'person' AND topic = :topic LIMIT 1000",
    {"topic": "tiktok"},
)
# The same across topics, to take along: the plus keeps SQLite going by time.
EVERY_ON_TOPIC = Query(
    "SELECT article_id, topic, score, evidence, published_at FROM article_topics"
    f" WHERE on_topic = 1 AND published_at <= :before AND +topic IN {_ACTIVE} AND (published_at < :before"
    "  OR article_id < :before_id OR (article_id = :before_id AND topic < :before_topic))"
    " ORDER BY published_at DESC, article_id DESC, topic DESC LIMIT :most",
    {"before": "9999", "before_id": 0, "before_topic": "", "most": 500},
)
# The plus keeps SQLite going by time across topics, and stopping when it has enough.
NEWEST_ON_TOPIC = Query(
    "SELECT article_id, topic, score, evidence, published_at FROM article_topics"
    f" WHERE on_topic = 1 AND published_at <= :until AND +topic IN {_ACTIVE}"
    " ORDER BY published_at DESC LIMIT :most",
    {"until": "9999", "most": 60},
)

# The same for the front page, where a copy is counted on the line of its original.
NEWEST_ORIGINALS = Query(
    "SELECT article_id, topic, score, evidence, published_at FROM article_topics"
    f" WHERE on_topic = 1 AND published_at <= :until AND +topic IN {_ACTIVE}"
    " AND (SELECT a.copy_of IS NULL FROM articles a WHERE a.id = article_id)"
    " ORDER BY published_at DESC LIMIT :most",
    {"until": "9999", "most": 60},
)

# Headlines an outlet reworded of late, those on topic before others.
REWORDED = Query(
    "SELECT few.article_id, few.seen_at, b.title AS before, r.title AS after, o.id AS outlet_id, o.name AS outlet,"
    " few.told FROM (SELECT late.*, EXISTS (SELECT 1 FROM article_topics t WHERE t.article_id = late.article_id"
    f" AND t.on_topic = 1 AND t.topic IN {_ACTIVE}) AS told FROM (SELECT article_id, n, seen_at FROM revisions"
    "  WHERE n > 1 AND seen_at >= :since AND kind = 'headline' ORDER BY seen_at DESC LIMIT 300) AS late"
    "  ORDER BY told DESC, late.seen_at DESC LIMIT :most) AS few"
    " CROSS JOIN revisions r ON r.article_id = few.article_id AND r.n = few.n"
    " CROSS JOIN revisions b ON b.article_id = few.article_id AND b.n = few.n - 1"
    " CROSS JOIN articles a ON a.id = few.article_id CROSS JOIN outlets o ON o.id = a.outlet_id"
    " ORDER BY few.told DESC, few.seen_at DESC",
    {"most": 4, **_SINCE},
)

# --- stories --------------------------------------------------------------------------------------------------

_STORY = "s.id, s.title, s.first_at, s.last_at, s.article_count, s.outlet_count, s.family_count"
# The index of stories that several newsrooms have answers alone; the rest is looked up for the few that are shown.
MOST_COVERED = Query(
    f"SELECT {_STORY} FROM (SELECT w.id FROM stories w INDEXED BY stories_wide"
    " WHERE w.last_at >= :since AND w.family_count > 1 AND w.first_at <= :until"
    " ORDER BY w.family_count DESC, w.article_count DESC, w.last_at DESC LIMIT :most) AS few"
    " CROSS JOIN stories s ON s.id = few.id ORDER BY s.family_count DESC, s.article_count DESC, s.last_at DESC",
    {"until": "9999", "most": 8, **_SINCE},
)
# Where no story has two newsrooms.
LATEST_STORIES = Query(
    f"SELECT {_STORY} FROM stories s WHERE s.last_at >= :since AND s.first_at <= :until"
    " ORDER BY s.last_at DESC LIMIT :most",
    {"until": "9999", "most": 8, **_SINCE},
)
# `LIMIT -1` keeps SQLite from asking of each story whether a topic has it: it asks in order, and stops at enough.
BLIND_SPOT = Query(
    f"SELECT {_STORY} FROM (SELECT wide.id FROM (SELECT w.id FROM stories w INDEXED BY stories_wide"
    " WHERE w.last_at >= :since AND w.family_count > 1 AND w.family_count >= :families"
    " ORDER BY w.family_count DESC, w.last_at DESC LIMIT -1) AS wide WHERE NOT EXISTS"
    f" (SELECT 1 FROM story_topics st WHERE st.story_id = wide.id AND st.topic IN {_ACTIVE}) LIMIT :most) AS few"
    " CROSS JOIN stories s ON s.id = few.id ORDER BY s.family_count DESC, s.article_count DESC, s.last_at DESC",
    {"families": 3, "most": 6, **_SINCE},
)
STORY = Query(f"SELECT {_STORY} FROM stories s WHERE s.id = :story", {"story": 1})
STORY_TOPICS = Query(
    "SELECT story_id, topic, articles AS n FROM story_topics WHERE story_id IN (SELECT value FROM json_each(:ids))"
    f" AND topic IN {_ACTIVE} ORDER BY n DESC, topic",
    _IDS,
)
STORY_VERSIONS = Query(
    "SELECT few.story_id, few.similarity, a.id, a.title, a.summary, a.url, a.authors, a.copy_of, a.revision_count,"
    " a.agency, a.lang, a.published_at, a.first_seen_at,"
    " o.id AS outlet_id, o.name AS outlet, o.family, few.appeared_at AS at FROM (SELECT * FROM story_articles"
    "  WHERE story_id = :story ORDER BY appeared_at, article_id LIMIT :most OFFSET :skip) AS few"
    " CROSS JOIN articles a ON a.id = few.article_id CROSS JOIN outlets o ON o.id = a.outlet_id ORDER BY at, a.id",
    {"most": 150, "skip": 0, "story": 1},
)
# The first reports of each of some stories.
FIRST_REPORTS = Query(
    "SELECT sa.story_id, a.summary, o.name AS outlet FROM json_each(:ids) j CROSS JOIN story_articles sa ON sa.rowid IN"
    " (SELECT f.rowid FROM story_articles f WHERE f.story_id = j.value"
    "  ORDER BY f.appeared_at, f.article_id LIMIT :each)"
    " CROSS JOIN articles a ON a.id = sa.article_id CROSS JOIN outlets o ON o.id = a.outlet_id"
    " ORDER BY sa.story_id, sa.appeared_at, a.id",
    {"each": 12, **_IDS},
)
# How many reports came in each ten minutes (`2020-12-05T04:1`).
ARRIVALS = Query(
    "SELECT story_id, substr(appeared_at, 1, 15) AS slot, count(*) AS n FROM story_articles"
    " WHERE story_id IN (SELECT value FROM json_each(:ids)) AND appeared_at BETWEEN :since AND :until"
    " GROUP BY story_id, slot",
    {"until": "9999", **_SINCE, **_IDS},
)
# Where a story went that turned out to be another one. Merges may follow each other.
MERGED = Query(
    "WITH RECURSIVE went(id, step) AS (SELECT into_id, 1 FROM story_merges WHERE story = :story UNION ALL"
    " SELECT m.into_id, step + 1 FROM went JOIN story_merges m ON m.story = went.id WHERE step < 50)"
    " SELECT s.id FROM went CROSS JOIN stories s ON s.id = went.id ORDER BY step DESC LIMIT 1",
    {"story": 1},
)
SHARED_STORIES = Query(
    "SELECT id, title, family_count, first_at, last_at FROM stories WHERE id IN (SELECT value FROM json_each(:ids))"
    " AND family_count > 1 ORDER BY last_at DESC, id DESC LIMIT :most",
    {"most": 40, **_IDS},
)
STORY_REPORTS = Query(
    "SELECT few.story_id, a.id, a.copy_of, a.agency, o.name AS outlet, o.family, few.appeared_at AS at"
    " FROM (SELECT story_id, article_id, appeared_at FROM story_articles"
    "  WHERE story_id IN (SELECT value FROM json_each(:ids)) ORDER BY appeared_at, article_id LIMIT :most) AS few"
    " CROSS JOIN articles a ON a.id = few.article_id CROSS JOIN outlets o ON o.id = a.outlet_id ORDER BY at, a.id",
    {"most": 4000, **_IDS},
)
# The same for races between newsrooms: of each outlet its first own report and its first wire report, so that a story
# of thousands is a hundred rows, and none is left out. Wire, as a copy of something.
RUNNERS = Query(
    "SELECT story_id, outlet, family, at, CASE wire WHEN 1 THEN -1 END AS copy_of, NULL AS agency FROM (SELECT"
    " sa.story_id, o.name AS outlet, o.family, (a.copy_of IS NOT NULL OR a.agency IS NOT NULL) AS wire,"
    " min(sa.appeared_at) AS at FROM story_articles sa"
    " CROSS JOIN articles a ON a.id = sa.article_id CROSS JOIN outlets o ON o.id = a.outlet_id"
    " WHERE sa.story_id IN (SELECT value FROM json_each(:ids)) GROUP BY sa.story_id, o.id, wire) ORDER BY at",
    _IDS,
)
NEARBY = Query(
    "SELECT s.id, s.title, s.last_at, s.family_count FROM stories s WHERE s.id <> :story AND s.id IN"
    " (SELECT st.story_id FROM story_topics st WHERE st.topic IN (SELECT value FROM json_each(:topics))"
    "  AND st.last_at BETWEEN :since AND :until)"
    " ORDER BY s.family_count DESC, s.last_at DESC LIMIT 5",
    {"story": 1, "topics": '["tiktok"]', "until": "2020-12-09T00:00:00Z", **_SINCE},
)

# --- articles -------------------------------------------------------------------------------------------------

ARTICLES = Query(
    f"SELECT a.id, a.title, a.summary, a.url, a.copy_of, a.revision_count, {_AT} AS at, s.story_id,"
    " a.published_at, a.first_seen_at, a.agency, a.lang, o.name AS outlet, o.id AS outlet_id, o.family"
    " FROM articles a CROSS JOIN outlets o ON o.id = a.outlet_id"
    " LEFT JOIN story_articles s ON s.article_id = a.id"
    " WHERE a.id IN (SELECT value FROM json_each(:ids))",
    _IDS,
)
COPY_COUNTS = Query(
    "SELECT copy_of AS id, count(*) AS n FROM articles"
    " WHERE copy_of IS NOT NULL AND copy_of IN (SELECT value FROM json_each(:ids)) GROUP BY copy_of",
    _IDS,
)
ARTICLE = Query(
    f"SELECT a.id, a.url, a.title, a.summary, a.lang, a.authors, a.published_at, a.first_seen_at, {_AT} AS at,"
    " a.text_from, a.copy_of, a.text_hash, a.revision_count, a.agency, o.id AS outlet_id, o.name AS outlet, o.family,"
    " x.text, s.story_id, c.title AS original_title, co.name AS original_outlet"
    " FROM articles a JOIN outlets o ON o.id = a.outlet_id"
    " LEFT JOIN article_texts x ON x.article_id = a.id LEFT JOIN story_articles s ON s.article_id = a.id"
    " LEFT JOIN articles c ON c.id = a.copy_of LEFT JOIN outlets co ON co.id = c.outlet_id WHERE a.id = :article",
    {"article": 1},
)
ARTICLE_TOPICS = Query(
    "SELECT t.topic, p.title, p.threshold, t.score, t.on_topic, t.evidence, t.profile_hash,"
    " p.profile_hash AS current_hash, p.active, t.decided_by, t.why FROM article_topics t"
    " JOIN topics p ON p.slug = t.topic"
    " WHERE t.article_id = :article ORDER BY t.on_topic DESC, t.score DESC",
    {"article": 1},
)
ARTICLE_ENTRIES = Query(
    "SELECT e.feed_id, f.title, f.url, e.guid, e.link, e.first_seen_at, e.last_seen_at FROM entries e"
    " JOIN feeds f ON f.id = e.feed_id WHERE e.article_id = :article ORDER BY e.first_seen_at LIMIT 20",
    {"article": 1},
)
# The poll that brought an entry is the last one of its feed that began before the entry was first seen.
ARRIVAL = Query(
    "SELECT id, started_at, status, outcome, new FROM polls WHERE feed_id = :feed AND started_at <= :seen"
    " ORDER BY started_at DESC LIMIT 1",
    {"feed": 1, "seen": "2020-12-05T00:00:00Z"},
)
REVISIONS = Query(
    "SELECT article_id, n, seen_at, title, summary, text_hash, kind, changed, returns, returned_at FROM revisions"
    " WHERE article_id IN (SELECT value FROM json_each(:ids)) ORDER BY article_id, n",
    _IDS,
)

ARTICLE_MATCHES = Query(
    "SELECT article_id, topic, score, evidence, published_at FROM article_topics"
    f" WHERE article_id IN (SELECT value FROM json_each(:ids)) AND on_topic = 1 AND topic IN {_ACTIVE}"
    " ORDER BY score DESC",
    _IDS,
)

# --- outlets --------------------------------------------------------------------------------------------------

OUTLET = Query("SELECT id, name, domain, family FROM outlets WHERE name = :name", {"name": "Example Times"})
OUTLET_OF_NUMBER = Query("SELECT id, name, domain, family FROM outlets WHERE id = :outlet", {"outlet": 1})
SISTERS = Query(
    "SELECT id, name FROM outlets WHERE family = :family AND id <> :outlet ORDER BY name LIMIT 20",
    {"family": "Example Group", "outlet": 1},
)
OUTLET_ARTICLES = Query(
    f"SELECT a.id, a.title, a.copy_of, a.agency, a.revision_count, {_AT} AS at, s.story_id"
    " FROM (SELECT id FROM articles WHERE outlet_id = :outlet AND first_seen_at >= :since"
    "  ORDER BY first_seen_at DESC LIMIT :most) AS latest"
    " CROSS JOIN articles a ON a.id = latest.id LEFT JOIN story_articles s ON s.article_id = a.id"
    " ORDER BY at DESC, a.id DESC",
    {"outlet": 1, "most": 1000, **_SINCE},
)
OUTLET_TOPICS = Query(
    "SELECT m.topic, count(*) AS n FROM json_each(:ids) j CROSS JOIN article_topics m ON m.article_id = j.value"
    f" WHERE m.on_topic = 1 AND m.topic IN {_ACTIVE} GROUP BY m.topic ORDER BY n DESC, m.topic",
    _IDS,
)
OUTLET_EVERY = Query(
    "SELECT id, first_seen_at FROM articles WHERE outlet_id = :outlet AND first_seen_at <= :before"
    " AND (first_seen_at < :before OR id < :before_id) ORDER BY first_seen_at DESC, id DESC LIMIT :most",
    {"outlet": 1, "before": "9999", "before_id": 0, "most": 500},
)
ORIGINALS = Query(
    "SELECT a.id, a.title, o.name AS outlet FROM articles a CROSS JOIN outlets o ON o.id = a.outlet_id"
    " WHERE a.id IN (SELECT value FROM json_each(:ids))",
    _IDS,
)
# A hub tells of it.
_TOLD = "EXISTS (SELECT 1 FROM websub w WHERE w.feed_id = f.id AND w.state IN ('confirmed', 'renewing')) AS told"
_FEED = (
    "f.id, f.url, coalesce(o.name, nullif(f.title, ''), f.url) AS name, f.current_url, f.title, o.name AS outlet,"
    " o.id AS outlet_id, f.state, f.failures, f.every_s, f.next_poll_at, f.last_polled_at, f.last_ok_at, f.last_new_at,"
    f" f.last_error, f.last_error_at, f.moved_to, f.added_at, f.certificate, {_TOLD}"
)
OUTLET_FEEDS = Query(
    f"SELECT {_FEED} FROM feeds f CROSS JOIN outlets o ON o.id = f.outlet_id WHERE f.outlet_id = :outlet LIMIT 50",
    {"outlet": 1},
)

# --- comparing ------------------------------------------------------------------------------------------------

COVERAGE = Query(
    "SELECT o.id, o.name, o.family, d.day, d.articles AS n, d.wire FROM topic_outlets d"
    " CROSS JOIN outlets o ON o.id = d.outlet_id WHERE d.topic = :topic AND d.day >= :since ORDER BY d.day, o.id",
    {"topic": "tiktok", **_SINCE},
)
# Who published at all in that time: without this, who is silent on a topic cannot be told from who is gone.
PUBLISHING = Query(
    "SELECT o.id, o.name, o.family FROM outlets o WHERE EXISTS (SELECT 1 FROM articles a"
    " WHERE a.outlet_id = o.id AND a.first_seen_at >= :since) ORDER BY o.family, o.name LIMIT 5000",
    _SINCE,
)

# --- feeds ----------------------------------------------------------------------------------------------------

_NAMED = f"SELECT {_FEED} FROM feeds f LEFT JOIN outlets o ON o.id = f.outlet_id"
FEEDS = Query(f"{_NAMED} LIMIT :most", {"most": 5000})
FEEDS_OF = Query(f"{_NAMED} WHERE f.id IN (SELECT value FROM json_each(:ids))", _IDS)
# What says in which state each feed is, and no more: a page shows thirty of them in full.
_RHYTHM = (
    "SELECT f.id, f.url, coalesce(o.name, nullif(f.title, ''), f.url) AS name, f.state, f.failures, f.last_ok_at,"
    f" f.last_new_at, f.last_error_at, f.added_at, {_TOLD} FROM feeds f LEFT JOIN outlets o ON o.id = f.outlet_id"
)
FEED_RHYTHMS = Query(f"{_RHYTHM} LIMIT :most", {"most": 5000})
FEEDS_WITHOUT_NEWS = Query(
    f"{_RHYTHM} WHERE f.state IN ('ok', 'moved') AND f.failures = 0 AND coalesce(f.last_new_at, f.added_at) < :before"
    " LIMIT 5000",
    {"before": "2020-12-01T00:00:00Z"},
)
# The seconds between one poll with news and the next, as one text a feed. The first answer of a feed is no news.
FEED_PAUSES = Query(
    "SELECT feed_id, group_concat(gap) AS gaps FROM (SELECT feed_id, unixepoch(started_at) - lag(unixepoch(started_at))"
    " OVER (PARTITION BY feed_id ORDER BY started_at, id) AS gap FROM polls INDEXED BY polls_feed"
    " WHERE feed_id IN (SELECT value FROM json_each(:ids)) AND started_at >= :since AND new > 0)"
    " WHERE gap IS NOT NULL GROUP BY feed_id",
    {**_IDS, **_SINCE},
)
FEED_DATES = Query(
    "SELECT DISTINCT substr(a.published_at, 1, 13) AS hour FROM entries e CROSS JOIN articles a ON a.id = e.article_id"
    " WHERE e.feed_id = :feed AND a.published_at <= :until ORDER BY 1 DESC LIMIT :most",
    {"feed": 1, "until": "9999", "most": 31},
)
DAY_BROUGHT = Query(
    "SELECT count(*) AS n, EXISTS (SELECT 1 FROM polls WHERE started_at >= :since AND started_at < :until"
    " AND outcome <> 'failed') AS asked FROM articles WHERE first_seen_at >= :since AND first_seen_at < :until",
    {"until": "2020-12-02T00:00:00Z", **_SINCE},
)
FEED_HOURS = Query(
    "SELECT feed_id, substr(started_at, 1, 13) AS hour, count(*) AS polls, sum(outcome = 'failed') AS failed,"
    " sum(new) AS new FROM polls WHERE feed_id IN (SELECT value FROM json_each(:ids))"
    " AND started_at >= :since GROUP BY feed_id, hour",
    {**_IDS, **_SINCE},
)

# --- search ---------------------------------------------------------------------------------------------------

OUTLETS = Query("SELECT id, name FROM outlets ORDER BY name LIMIT 1000")
# Ids grow with time, so a day becomes an id, and the full-text index need not look further back.
FIRST_ID_SINCE = Query("SELECT min(first_article) AS id FROM article_days WHERE day >= substr(:since, 1, 10)", _SINCE)
_SEARCH = (
    "SELECT rowid AS id FROM articles_fts WHERE articles_fts MATCH :words AND rowid >= :first AND rowid < :below"
    " AND (:topic = '' OR EXISTS (SELECT 1 FROM article_topics t"
    "  WHERE t.article_id = articles_fts.rowid AND t.topic = :topic AND t.on_topic = 1))"
    " AND EXISTS (SELECT 1 FROM articles a WHERE a.id = articles_fts.rowid AND a.first_seen_at >= :since"
    "  AND (:outlet = 0 OR a.outlet_id = :outlet))"
)
_ASKED = {"words": '"tiktok"', "first": 0, "below": 2**62, "since": "", "topic": "", "outlet": 0, "most": 21, "skip": 0}
SEARCH_NEWEST = Query(f"{_SEARCH} ORDER BY rowid DESC LIMIT :most OFFSET :skip", _ASKED)
# Ranking looks at each article that matches; those it may look at are the latest.
SEARCH_REACH = Query(f"SELECT min(id) AS id FROM ({_SEARCH} ORDER BY rowid DESC LIMIT :most OFFSET :skip)", _ASKED)
SEARCH_BEST = Query(f"{_SEARCH} ORDER BY rank LIMIT :most OFFSET :skip", _ASKED)
SNIPPETS = Query(
    "SELECT rowid AS id, snippet(articles_fts, -1, char(2), char(3), '…', 32) AS words FROM articles_fts"
    " WHERE articles_fts MATCH :words AND rowid IN (SELECT value FROM json_each(:ids))",
    {"words": '"tiktok"', **_IDS},
)


# --- what people say ------------------------------------------------------------------------------------------

# In feedback.db, the one question that goes there. Later words come last, and so are the ones that count.
SAID_OF = Query(
    "SELECT topic, verdict, actor, created_at, rowid AS nth FROM labels WHERE withdrawn_at IS NULL AND url = :url"
    " UNION ALL SELECT topic, verdict, actor, created_at, rowid AS nth FROM labels WHERE withdrawn_at IS NULL"
    " AND url IS NULL AND article_id = :article ORDER BY created_at, nth",
    {"article": 1, "url": "https://a.example/"},
)
ADDRESSES = Query("SELECT id, url FROM articles WHERE id IN (SELECT value FROM json_each(:ids))", _IDS)
STORY_ADDRESSES = Query(
    "SELECT a.id, a.url FROM story_articles sa CROSS JOIN articles a ON a.id = sa.article_id"
    " WHERE sa.story_id = :story ORDER BY a.id LIMIT 2000",
    {"story": 1},
)


def all_queries() -> dict[str, Query]:
    """Every question to news.db by its name, for the tests."""
    return {name: value for name, value in globals().items() if isinstance(value, Query) and value is not SAID_OF}
