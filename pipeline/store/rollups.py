"""Numbers that pages show, kept beside what they count: what each must be, and the triggers that keep it so.

A page that counted for itself would go through as many rows as a month has articles. Triggers, because they stand in
the transaction of whatever writes (a poll, an import, a merge, a retag, retention, a repair), and none of it can forget
them. `m0015` carries them out; a later shape brings a migration of its own.
"""

# ruff: noqa: S608 -- what is put together here are constants of this file

from __future__ import annotations

ROLLUPS = {
    "article_days": "SELECT substr(first_seen_at, 1, 10) AS day, count(*) AS articles, min(id) AS first_article"
    " FROM articles GROUP BY 1",
    "topic_days": "SELECT topic, substr(published_at, 1, 10) AS day, count(*) AS articles FROM article_topics"
    " WHERE on_topic = 1 GROUP BY 1, 2",
    "topic_outlets": "SELECT t.topic, substr(t.published_at, 1, 10) AS day, a.outlet_id, count(*) AS articles,"
    " sum(a.copy_of IS NOT NULL OR a.agency IS NOT NULL) AS wire FROM article_topics t"
    " JOIN articles a ON a.id = t.article_id WHERE t.on_topic = 1 GROUP BY 1, 2, 3",
    "story_topics": "SELECT s.story_id, t.topic, count(*) AS articles, max(t.published_at) AS last_at"
    " FROM article_topics t JOIN story_articles s ON s.article_id = t.article_id WHERE t.on_topic = 1 GROUP BY 1, 2",
}
"""Each table, and the question that answers what its rows must be, column by column."""

MOMENT = (
    "(SELECT coalesce(a.published_at, a.first_seen_at) FROM articles a WHERE a.id = story_articles.article_id)"
)  # fmt: skip
"""What `story_articles.appeared_at` must be."""


def _counted(row: str) -> str:
    """Statements for a tag on topic that is there now."""
    return f"""
        INSERT INTO topic_days (topic, day, articles) VALUES ({row}.topic, substr({row}.published_at, 1, 10), 1)
            ON CONFLICT (topic, day) DO UPDATE SET articles = articles + 1;
        INSERT INTO topic_outlets (topic, day, outlet_id, articles, wire)
            SELECT {row}.topic, substr({row}.published_at, 1, 10), a.outlet_id, 1,
                a.copy_of IS NOT NULL OR a.agency IS NOT NULL FROM articles a WHERE a.id = {row}.article_id
            ON CONFLICT (topic, day, outlet_id) DO UPDATE SET articles = articles + 1, wire = wire + excluded.wire;
        INSERT INTO story_topics (story_id, topic, articles, last_at)
            SELECT s.story_id, {row}.topic, 1, {row}.published_at FROM story_articles s
            WHERE s.article_id = {row}.article_id
            ON CONFLICT (story_id, topic) DO UPDATE SET articles = articles + 1,
                last_at = max(last_at, excluded.last_at);"""


def _uncounted(row: str) -> str:
    """Statements for a tag on topic that is there no more. Its row in `article_topics` is gone, or already another."""
    day = f"topic = {row}.topic AND day = substr({row}.published_at, 1, 10)"
    outlet = f"outlet_id = (SELECT outlet_id FROM articles WHERE id = {row}.article_id)"
    wire = f"(SELECT copy_of IS NOT NULL OR agency IS NOT NULL FROM articles WHERE id = {row}.article_id)"
    story = f"(SELECT story_id FROM story_articles WHERE article_id = {row}.article_id)"
    left = _left(story, f"{row}.topic", f"{row}.published_at")
    return f"""
        UPDATE topic_days SET articles = articles - 1 WHERE {day};
        DELETE FROM topic_days WHERE {day} AND articles = 0;
        UPDATE topic_outlets SET articles = articles - 1, wire = wire - {wire}
            WHERE {day} AND {outlet};
        DELETE FROM topic_outlets WHERE {day} AND {outlet} AND articles = 0;{left}"""


def _left(story: str, topics: str, latest: str) -> str:
    """Statements for an article that no longer speaks for a story on these topics. A new latest one is sought only
    where it may have been that."""
    where = f"story_id = {story} AND topic IN ({topics})"
    return f"""
        UPDATE story_topics SET articles = articles - 1 WHERE {where};
        DELETE FROM story_topics WHERE {where} AND articles = 0;
        UPDATE story_topics SET last_at = coalesce((SELECT max(t.published_at) FROM story_articles s
            CROSS JOIN article_topics t ON t.article_id = s.article_id AND t.topic = story_topics.topic
            WHERE s.story_id = story_topics.story_id AND t.on_topic = 1), last_at)
            WHERE {where} AND last_at <= {latest};"""


_TOPICS_OF_OLD = "SELECT topic FROM article_topics WHERE article_id = OLD.article_id AND on_topic = 1"
_MOMENT_OF_OLD = (
    "(SELECT o.published_at FROM article_topics o WHERE o.article_id = OLD.article_id AND o.topic = story_topics.topic)"
)
_JOINED = """
        INSERT INTO story_topics (story_id, topic, articles, last_at)
            SELECT NEW.story_id, t.topic, 1, t.published_at FROM article_topics t
            WHERE t.article_id = NEW.article_id AND t.on_topic = 1
            ON CONFLICT (story_id, topic) DO UPDATE SET articles = articles + 1,
                last_at = max(last_at, excluded.last_at);"""
_WIRE = "({0}.copy_of IS NOT NULL OR {0}.agency IS NOT NULL)"
_TOLD_ANEW = "(OLD.on_topic <> NEW.on_topic OR OLD.published_at <> NEW.published_at)"

TRIGGERS = (
    f"""CREATE TRIGGER tag_new AFTER INSERT ON article_topics WHEN NEW.on_topic = 1
    BEGIN{_counted("NEW")}
    END""",
    f"""CREATE TRIGGER tag_gone AFTER DELETE ON article_topics WHEN OLD.on_topic = 1
    BEGIN{_uncounted("OLD")}
    END""",
    f"""CREATE TRIGGER tag_off AFTER UPDATE OF on_topic, published_at ON article_topics
    WHEN OLD.on_topic = 1 AND {_TOLD_ANEW}
    BEGIN{_uncounted("OLD")}
    END""",
    f"""CREATE TRIGGER tag_on AFTER UPDATE OF on_topic, published_at ON article_topics
    WHEN NEW.on_topic = 1 AND {_TOLD_ANEW}
    BEGIN{_counted("NEW")}
    END""",
    f"""CREATE TRIGGER report_new AFTER INSERT ON story_articles
    BEGIN
        UPDATE story_articles SET appeared_at = {MOMENT} WHERE article_id = NEW.article_id;{_JOINED}
    END""",
    f"""CREATE TRIGGER report_gone AFTER DELETE ON story_articles
    BEGIN{_left("OLD.story_id", _TOPICS_OF_OLD, _MOMENT_OF_OLD)}
    END""",
    f"""CREATE TRIGGER report_moved AFTER UPDATE OF story_id ON story_articles WHEN OLD.story_id <> NEW.story_id
    BEGIN{_left("OLD.story_id", _TOPICS_OF_OLD, _MOMENT_OF_OLD)}{_JOINED}
    END""",
    f"""CREATE TRIGGER article_wire AFTER UPDATE OF copy_of, agency ON articles
    WHEN {_WIRE.format("OLD")} <> {_WIRE.format("NEW")}
    BEGIN
        UPDATE topic_outlets SET wire = wire + {_WIRE.format("NEW")} - {_WIRE.format("OLD")}
            WHERE (topic, day, outlet_id) IN (SELECT t.topic, substr(t.published_at, 1, 10), NEW.outlet_id
                FROM article_topics t WHERE t.article_id = NEW.id AND t.on_topic = 1);
    END""",
    f"""CREATE TRIGGER article_moment AFTER UPDATE OF published_at ON articles
    WHEN OLD.published_at IS NOT NEW.published_at
    BEGIN
        UPDATE story_articles SET appeared_at = {MOMENT} WHERE article_id = NEW.id;
    END""",
    """CREATE TRIGGER article_new AFTER INSERT ON articles
    BEGIN
        INSERT INTO article_days (day, articles, first_article) VALUES (substr(NEW.first_seen_at, 1, 10), 1, NEW.id)
            ON CONFLICT (day) DO UPDATE SET articles = articles + 1,
                first_article = min(first_article, excluded.first_article);
    END""",
    """CREATE TRIGGER article_gone AFTER DELETE ON articles
    BEGIN
        UPDATE article_days SET articles = articles - 1 WHERE day = substr(OLD.first_seen_at, 1, 10);
        DELETE FROM article_days WHERE day = substr(OLD.first_seen_at, 1, 10) AND articles = 0;
    END""",
)
