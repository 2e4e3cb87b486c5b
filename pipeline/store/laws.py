"""What must hold of every news.db, each law as one question in SQL and, where it can be derived anew, the statements
that make it hold again. Asked by `verify.py`, carried out by `repair.py`.

A question names what breaks its law, as `who`, and may ask for the moment (`:now`). Kept are outlets, feeds, polls,
articles, their texts, entries and revisions; no statement here touches them, but for numbers that are counted from
other rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.store.rollups import MOMENT, ROLLUPS
from pipeline.store.stories import COUNTED

RESTORE = "Restore a backup: `newsbeat restore FILE`."
REPAIR = "`newsbeat verify --repair` derives it anew."


@dataclass(frozen=True, slots=True)
class Law:
    """`broken` says in the plural what the question found. A law without `repair` is about what is kept."""

    name: str
    broken: str
    sql: str
    repair: tuple[str, ...] = ()
    cure: str = RESTORE


DERIVED = (
    "article_names", "article_topics", "story_articles", "story_prints", "story_centres", "story_merges", "story_words",
    "article_days", "topic_days", "topic_outlets", "story_topics",
)  # fmt: skip
"""Tables whose rows may go when what they are about is gone."""

_MOMENT = "coalesce(a.published_at, a.first_seen_at)"
_SEEN = f"min({_MOMENT}, a.first_seen_at)"
_SEEN_O = _SEEN.replace("a.", "o.")

# An article that became a copy of one that came later, or of itself, is led back to the earliest of them all.
_ROOTS = """
    CREATE TEMP TABLE copy_roots AS
    WITH RECURSIVE up(id, root, depth) AS (
        SELECT id, copy_of, 1 FROM articles WHERE copy_of IS NOT NULL
        UNION ALL SELECT up.id, a.copy_of, up.depth + 1 FROM up JOIN articles a ON a.id = up.root
            WHERE a.copy_of IS NOT NULL AND a.copy_of != up.root AND up.depth < 20
    ), top AS (SELECT id, root, max(depth) FROM up GROUP BY id),
    member AS (SELECT id, root FROM top UNION SELECT root, root FROM top),
    ranked AS (SELECT m.id, first_value(m.id) OVER (PARTITION BY m.root ORDER BY
        min(coalesce(a.published_at, a.first_seen_at), a.first_seen_at), m.id) AS original
        FROM member m JOIN articles a ON a.id = m.id)
    SELECT id, original FROM ranked"""
_RECOPY = (
    "DROP TABLE IF EXISTS temp.copy_roots",
    _ROOTS,
    "UPDATE articles SET copy_of = (SELECT nullif(r.original, r.id) FROM temp.copy_roots r WHERE r.id = articles.id)"
    " WHERE id IN (SELECT id FROM temp.copy_roots)",
    "DROP TABLE temp.copy_roots",
)

_RECOUNT = (
    "UPDATE stories SET (first_at, last_at, article_count, outlet_count, family_count) ="  # noqa: S608
    f" ({COUNTED}) WHERE EXISTS (SELECT 1 FROM story_articles s WHERE s.story_id = stories.id)"
)

_AGAIN = (
    "UPDATE topics SET judged_to = 0, judge_until = (SELECT coalesce(max(id), 0) FROM articles)"
    " WHERE active = 1 AND judged_to IS NULL AND slug IN (SELECT t.topic FROM article_topics t WHERE {})"
)
_JUDGED = "`newsbeat verify --repair` puts the topic down for judging; the service, or `newsbeat retag`, then does it."

_STALE = "t.profile_hash != (SELECT p.profile_hash FROM topics p WHERE p.slug = t.topic)"
_ODD = (
    "t.decided_by = 'score' AND t.on_topic != (t.score >= (SELECT p.threshold FROM topics p WHERE p.slug = t.topic))"
    " AND t.profile_hash = (SELECT p.profile_hash FROM topics p WHERE p.slug = t.topic)"
)


def _tags(where: str) -> str:
    """Tags of topics that are followed and not being judged anew at the moment."""
    return (
        f"SELECT 'article ' || t.article_id || ' on ' || t.topic AS who FROM article_topics t WHERE ({where})"  # noqa: S608
        " AND t.topic IN (SELECT slug FROM topics WHERE active = 1 AND judged_to IS NULL)"
    )


STAMPS = (
    "feeds.next_poll_at feeds.added_at feeds.last_polled_at feeds.last_ok_at feeds.last_new_at polls.started_at"
    " articles.first_seen_at articles.published_at entries.first_seen_at entries.last_seen_at revisions.seen_at"
    " stories.first_at stories.last_at article_topics.published_at"
).split()
"""Columns that hold a moment as text."""

_STAMP = "????-??-??T??:??:??Z"


def _not_stamps() -> str:
    parts = []
    for one in STAMPS:
        table, column = one.split(".")
        parts.append(
            f"SELECT '{one} = ' || quote(substr({column}, 1, 40)) AS who FROM {table}"  # noqa: S608
            f" WHERE {column} NOT GLOB '{_STAMP}'"
        )
    return " UNION ALL ".join(parts)


def _kept(table: str, who: str) -> Law:
    """A law of numbers that triggers keep: the rows are those that counting gives."""
    truth = ROLLUPS[table]
    odd = f"SELECT * FROM ({truth} EXCEPT SELECT * FROM {table})"  # noqa: S608
    extra = f"SELECT * FROM (SELECT * FROM {table} EXCEPT {truth})"  # noqa: S608
    if table == "article_days":  # its `first_article` is a lower bound
        odd = (
            f"SELECT t.* FROM ({truth}) t LEFT JOIN {table} d ON d.day = t.day"  # noqa: S608
            " WHERE d.articles IS NOT t.articles OR d.first_article > t.first_article"
        )
        extra = f"SELECT * FROM {table} WHERE day NOT IN (SELECT substr(first_seen_at, 1, 10) FROM articles)"  # noqa: S608
    return Law(
        table.replace("_", "-"),
        f"numbers in `{table}` that are not what counting gives",
        f"SELECT {who} AS who FROM ({odd} UNION ALL {extra})",  # noqa: S608
        (f"DELETE FROM {table}", f"INSERT INTO {table} {truth}"),  # noqa: S608
        REPAIR,
    )


LAWS = (
    Law(
        "text",
        "articles without their text",
        "SELECT 'article ' || id AS who FROM articles WHERE id NOT IN (SELECT article_id FROM article_texts)",
    ),
    Law(
        "entry",
        "articles that no entry of any feed names",
        "SELECT 'article ' || id AS who FROM articles a WHERE NOT EXISTS"
        " (SELECT 1 FROM entries e WHERE e.article_id = a.id)",
    ),
    Law(
        "first-wording",
        "articles without a wording in `revisions`",
        "SELECT 'article ' || id AS who FROM articles a WHERE NOT EXISTS"
        " (SELECT 1 FROM revisions r WHERE r.article_id = a.id)",
    ),
    Law(
        "wordings",
        "articles with a gap in their wordings",
        "SELECT 'article ' || article_id AS who FROM revisions GROUP BY article_id"
        " HAVING min(n) != 1 OR max(n) != count(*)",
    ),
    Law(
        "present-wording",
        "articles whose words are none of their wordings",
        "SELECT 'article ' || id AS who FROM articles a WHERE EXISTS (SELECT 1 FROM revisions r WHERE r.article_id ="
        " a.id) AND NOT EXISTS (SELECT 1 FROM revisions r WHERE r.article_id = a.id AND r.text_hash = a.text_hash)",
    ),
    Law(
        "earlier-text",
        "earlier wordings whose text is lost",
        "SELECT 'article ' || r.article_id || ', wording ' || r.n AS who FROM revisions r"
        " JOIN articles a ON a.id = r.article_id WHERE a.revision_count > 1 AND r.text IS NULL"
        " AND r.text_hash != a.text_hash",
    ),
    Law("moments", "moments that are none", _not_stamps()),
    Law(
        "revision-count",
        "articles whose `revision_count` is not the number of their wordings",
        "SELECT 'article ' || id AS who FROM articles a"
        " WHERE revision_count != (SELECT max(1, count(*)) FROM revisions r WHERE r.article_id = a.id)",
        (
            "UPDATE articles SET revision_count = (SELECT max(1, count(*)) FROM revisions r WHERE r.article_id ="
            " articles.id) WHERE revision_count !="
            " (SELECT max(1, count(*)) FROM revisions r WHERE r.article_id = articles.id)",
        ),
        REPAIR,
    ),
    Law(
        "copy-of-copy",
        "copies of a copy, or of themselves",
        "SELECT 'article ' || c.id AS who FROM articles c JOIN articles o ON o.id = c.copy_of"
        " WHERE o.copy_of IS NOT NULL OR o.id = c.id",
        _RECOPY,
        REPAIR,
    ),
    Law(
        "copy-order",
        "copies of an article that came out later",
        "SELECT 'article ' || a.id AS who FROM articles a JOIN articles o ON o.id = a.copy_of AND o.copy_of IS NULL"  # noqa: S608
        f" WHERE {_SEEN_O} > {_SEEN}",
        _RECOPY,
        REPAIR,
    ),
    Law(
        "story",
        "articles in no story",
        "SELECT 'article ' || id AS who FROM articles a WHERE NOT EXISTS"
        " (SELECT 1 FROM story_articles s WHERE s.article_id = a.id)",
        (
            "DROP TABLE IF EXISTS temp.homeless",
            "CREATE TEMP TABLE homeless AS SELECT a.id AS article_id, row_number() OVER (ORDER BY a.id)"
            " + max(coalesce((SELECT max(id) FROM stories), 0), coalesce((SELECT max(story) FROM story_merges), 0))"
            " AS story_id FROM articles a WHERE NOT EXISTS (SELECT 1 FROM story_articles s WHERE s.article_id = a.id)",
            "INSERT INTO stories (id, title, first_at, last_at, article_count, outlet_count, family_count)"  # noqa: S608
            f" SELECT h.story_id, coalesce(a.title, 'Untitled'), {_MOMENT}, {_MOMENT}, 1, 1, 1"
            " FROM temp.homeless h JOIN articles a ON a.id = h.article_id",
            "INSERT INTO story_articles (story_id, article_id, similarity)"
            " SELECT story_id, article_id, 1.0 FROM temp.homeless",
            "DROP TABLE temp.homeless",
        ),
        REPAIR,
    ),
    Law(
        "empty-story",
        "stories without an article",
        "SELECT 'story ' || id AS who FROM stories t WHERE NOT EXISTS"
        " (SELECT 1 FROM story_articles s WHERE s.story_id = t.id)",
        ("DELETE FROM stories WHERE id NOT IN (SELECT story_id FROM story_articles)",),
        REPAIR,
    ),
    Law(
        "story-counts",
        "stories whose numbers or moments are not those of their articles",
        "SELECT 'story ' || id AS who FROM stories"  # noqa: S608
        f" WHERE (first_at, last_at, article_count, outlet_count, family_count) IS NOT ({COUNTED})"
        " AND EXISTS (SELECT 1 FROM story_articles s WHERE s.story_id = stories.id)",
        (_RECOUNT,),
        REPAIR,
    ),
    Law(
        "story-centre",
        "centres that are not those of their story's reports",
        # Made anew from the reports that are still remembered, of which some may be forgotten since.
        "SELECT 'story ' || c.story_id AS who FROM story_centres c WHERE c.n >"
        " (SELECT count(*) FROM story_articles s JOIN articles a ON a.id = s.article_id"
        " WHERE s.story_id = c.story_id AND a.copy_of IS NULL)"
        " OR c.n < (SELECT count(*) FROM story_articles s JOIN articles a ON a.id = s.article_id"
        " JOIN story_prints p ON p.article_id = a.id WHERE s.story_id = c.story_id AND a.copy_of IS NULL)"
        " OR (c.central_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM story_articles s"
        " WHERE s.story_id = c.story_id AND s.article_id = c.central_id))",
        ("DELETE FROM story_centres",),
        REPAIR,
    ),
    Law(
        "story-merge",
        "stories that became part of another and are there all the same",
        "SELECT 'story ' || m.story AS who FROM story_merges m JOIN stories s ON s.id = m.story",
        ("DELETE FROM story_merges WHERE story IN (SELECT id FROM stories)",),
        REPAIR,
    ),
    Law(
        "tag-hash",
        "tags that do not say by which profile",
        _tags("t.profile_hash = ''"),
        (_AGAIN.format("t.profile_hash = ''"),),
        _JUDGED,
    ),
    Law(
        "tag-stale",
        "tags by an older profile that nothing waits to judge anew",
        _tags(_STALE),
        (_AGAIN.format(_STALE),),
        _JUDGED,
    ),
    Law(
        "tag-verdict",
        "tags whose verdict is not what score and threshold say",
        _tags(_ODD),
        (_AGAIN.format(_ODD),),
        _JUDGED,
    ),
    Law(
        "tag-evidence",
        "tags whose evidence cannot be read",
        _tags("NOT json_valid(t.evidence)"),
        (_AGAIN.format("NOT json_valid(t.evidence)"),),
        _JUDGED,
    ),
    Law(
        "tag-moment",
        "tags that bear another moment than their article",
        _tags(f"t.published_at != (SELECT {_MOMENT} FROM articles a WHERE a.id = t.article_id)"),  # noqa: S608
        (
            f"UPDATE article_topics SET published_at = (SELECT {_MOMENT} FROM articles a"  # noqa: S608
            " WHERE a.id = article_topics.article_id) WHERE article_id IN (SELECT id FROM articles)",
        ),
        REPAIR,
    ),
    Law(
        "never-due",
        "feeds that are followed and never due",
        "SELECT url AS who FROM feeds WHERE state NOT IN ('gone', 'paused') AND next_poll_at IS NULL",
        cure="`newsbeat feeds retry URL` makes it due.",
    ),
    Law(
        "overlooked",
        "feeds that were due while others were asked for more than six hours",
        # Polls that failed do not count, since a line that is down lets only a few feeds be tried; nor do those of a
        # clock that ran ahead.
        "SELECT f.url AS who FROM feeds f WHERE f.state NOT IN ('gone', 'paused') AND EXISTS (SELECT 1 FROM polls p"
        " WHERE p.started_at > strftime('%Y-%m-%dT%H:%M:%SZ', f.next_poll_at, '+6 hours') AND p.outcome <> 'failed'"
        " AND p.started_at < strftime('%Y-%m-%dT%H:%M:%SZ', (SELECT max(started_at) FROM polls"
        " WHERE started_at <= :now), '-6 hours'))",
        cure="`newsbeat feeds retry URL` asks it; the log says why it was not.",
    ),
    Law(
        "far-due",
        "feeds that are due in more than eight days",
        "SELECT f.url AS who FROM feeds f WHERE f.state NOT IN ('gone', 'paused') AND f.next_poll_at >"
        " strftime('%Y-%m-%dT%H:%M:%SZ', coalesce(f.last_polled_at, f.added_at), '+8 days')",
        cure="Was the clock wrong for a while? `newsbeat feeds retry URL` makes it due now.",
    ),
    Law(
        "report-moment",
        "reports that bear another moment in their story than their article",
        f"SELECT 'article ' || article_id AS who FROM story_articles WHERE appeared_at IS NOT {MOMENT}",  # noqa: S608
        (f"UPDATE story_articles SET appeared_at = {MOMENT} WHERE appeared_at IS NOT {MOMENT}",),  # noqa: S608
        REPAIR,
    ),
    _kept("article_days", "day"),
    _kept("topic_days", "topic || ' on ' || day"),
    _kept("topic_outlets", "topic || ' on ' || day || ' by outlet ' || outlet_id"),
    _kept("story_topics", "'story ' || story_id || ' on ' || topic"),
)
