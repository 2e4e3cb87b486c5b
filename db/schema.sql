-- The present schema, written from pipeline/store/migrations.py by `./run schema`.

CREATE TABLE outlets (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    domain TEXT,
    family TEXT NOT NULL
);

CREATE TABLE feeds (
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
, certificate TEXT, not_before TEXT, flaw TEXT, asked_for_at TEXT);

CREATE INDEX feeds_due ON feeds(next_poll_at) WHERE state NOT IN ('gone', 'paused');

CREATE INDEX feeds_outlet ON feeds(outlet_id);

CREATE TABLE polls (
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
);

CREATE INDEX polls_started ON polls(started_at);

CREATE TABLE hosts (
    host TEXT PRIMARY KEY,
    next_ok_at TEXT NOT NULL,
    why TEXT NOT NULL
);

CREATE TABLE articles (
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
, agency TEXT);

CREATE INDEX articles_outlet ON articles(outlet_id, first_seen_at);

CREATE INDEX articles_published ON articles(published_at);

CREATE INDEX articles_first_seen ON articles(first_seen_at);

CREATE INDEX articles_copy_of ON articles(copy_of) WHERE copy_of IS NOT NULL;

CREATE INDEX articles_revised ON articles(revision_count) WHERE revision_count > 1;

CREATE TABLE article_texts (
    article_id INTEGER PRIMARY KEY REFERENCES articles(id),
    text TEXT NOT NULL
);

CREATE VIEW article_words AS
    SELECT a.id AS id, a.title AS title, a.summary AS summary, t.text AS text
    FROM articles a JOIN article_texts t ON t.article_id = a.id;

CREATE VIRTUAL TABLE articles_fts USING fts5(
    title, summary, text,
    content='article_words', content_rowid='id',
    tokenize='porter unicode61 remove_diacritics 2'
);

CREATE TABLE entries (
    feed_id INTEGER NOT NULL REFERENCES feeds(id),
    guid TEXT NOT NULL,
    article_id INTEGER NOT NULL REFERENCES articles(id),
    link TEXT,
    raw_hash TEXT NOT NULL,
    first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    PRIMARY KEY (feed_id, guid)
);

CREATE INDEX entries_article ON entries(article_id);

CREATE TABLE revisions (
    article_id INTEGER NOT NULL REFERENCES articles(id),
    n INTEGER NOT NULL,
    seen_at TEXT NOT NULL,
    title TEXT,
    summary TEXT,
    text_hash TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT, changed TEXT, returns INTEGER NOT NULL DEFAULT 0, returned_at TEXT,
    PRIMARY KEY (article_id, n)
);

CREATE INDEX revisions_later ON revisions(seen_at) WHERE n > 1;

CREATE TABLE stories (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    article_count INTEGER NOT NULL,
    outlet_count INTEGER NOT NULL,
    family_count INTEGER NOT NULL
);

CREATE INDEX stories_last ON stories(last_at, family_count);

CREATE TABLE story_articles (
    story_id INTEGER NOT NULL REFERENCES stories(id),
    article_id INTEGER NOT NULL UNIQUE REFERENCES articles(id),
    similarity REAL NOT NULL, appeared_at TEXT,
    PRIMARY KEY (story_id, article_id)
);

CREATE TABLE story_prints (
    article_id INTEGER PRIMARY KEY REFERENCES articles(id),
    print BLOB NOT NULL
);

CREATE TABLE topics (
    slug TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    profile_hash TEXT NOT NULL,
    seed TEXT,
    threshold REAL NOT NULL,
    profile TEXT NOT NULL,
    active INTEGER NOT NULL DEFAULT 1
, judged_to INTEGER, judge_until INTEGER);

CREATE TABLE article_topics (
    article_id INTEGER NOT NULL REFERENCES articles(id),
    topic TEXT NOT NULL REFERENCES topics(slug),
    score REAL NOT NULL,
    on_topic INTEGER NOT NULL,
    evidence TEXT NOT NULL,
    profile_hash TEXT NOT NULL,
    published_at TEXT NOT NULL, decided_by TEXT NOT NULL DEFAULT 'score'
    CHECK (decided_by IN ('score', 'rule', 'person')), why TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (article_id, topic)
);

CREATE INDEX article_topics_on ON article_topics(topic, published_at) WHERE on_topic = 1;

CREATE INDEX article_topics_newest ON article_topics(published_at) WHERE on_topic = 1;

CREATE INDEX article_topics_near ON article_topics(topic, published_at) WHERE on_topic = 0;

CREATE INDEX article_topics_score ON article_topics(topic, score);

CREATE VIEW articles_browse AS
    SELECT a.id, a.title, o.name AS outlet, o.family, a.published_at, a.first_seen_at,
        a.url, a.copy_of, a.revision_count - 1 AS edits, s.story_id
    FROM articles a
    JOIN outlets o ON o.id = a.outlet_id
    LEFT JOIN story_articles s ON s.article_id = a.id;

CREATE TABLE archives (
    feed_id INTEGER NOT NULL REFERENCES feeds(id),
    url TEXT NOT NULL,
    fetched_at TEXT,
    PRIMARY KEY (feed_id, url)
);

CREATE TABLE websub (
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
);

CREATE INDEX websub_next ON websub(next_try_at);

CREATE TABLE notices (
    id INTEGER PRIMARY KEY,
    about TEXT NOT NULL,
    said TEXT NOT NULL,
    since TEXT NOT NULL
);

CREATE TABLE article_names (
    name INTEGER NOT NULL,
    article_id INTEGER NOT NULL REFERENCES articles(id),
    PRIMARY KEY (name, article_id)
) WITHOUT ROWID;

CREATE INDEX articles_agency ON articles(agency, first_seen_at) WHERE agency IS NOT NULL;

CREATE TABLE story_words (
    word INTEGER NOT NULL,
    day INTEGER NOT NULL,
    n INTEGER NOT NULL,
    latest BLOB NOT NULL,
    PRIMARY KEY (word, day)
) WITHOUT ROWID;

CREATE TABLE story_centres (
    story_id INTEGER PRIMARY KEY REFERENCES stories(id) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    centre BLOB NOT NULL,
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    central_id INTEGER REFERENCES articles(id)
);

CREATE INDEX story_centres_last ON story_centres(last_at);

CREATE TABLE story_merges (
    story INTEGER PRIMARY KEY,
    into_id INTEGER NOT NULL REFERENCES stories(id) ON DELETE CASCADE,
    last_at TEXT NOT NULL
);

CREATE INDEX article_topics_stale ON article_topics(topic, profile_hash);

CREATE INDEX article_topics_said ON article_topics(topic, article_id) WHERE decided_by = 'person';

CREATE TABLE pruned (
    name INTEGER PRIMARY KEY,
    on_day TEXT NOT NULL
);

CREATE TABLE article_days (
    day TEXT PRIMARY KEY,
    articles INTEGER NOT NULL,
    first_article INTEGER NOT NULL
);

CREATE TABLE topic_days (
    topic TEXT NOT NULL REFERENCES topics(slug),
    day TEXT NOT NULL,
    articles INTEGER NOT NULL,
    PRIMARY KEY (topic, day)
) WITHOUT ROWID;

CREATE TABLE topic_outlets (
    topic TEXT NOT NULL REFERENCES topics(slug),
    day TEXT NOT NULL,
    outlet_id INTEGER NOT NULL REFERENCES outlets(id),
    articles INTEGER NOT NULL,
    wire INTEGER NOT NULL,
    PRIMARY KEY (topic, day, outlet_id)
) WITHOUT ROWID;

CREATE TABLE story_topics (
    story_id INTEGER NOT NULL REFERENCES stories(id) ON DELETE CASCADE,
    topic TEXT NOT NULL REFERENCES topics(slug),
    articles INTEGER NOT NULL,
    last_at TEXT NOT NULL,
    PRIMARY KEY (story_id, topic)
) WITHOUT ROWID;

CREATE INDEX story_topics_last ON story_topics(topic, last_at);

CREATE INDEX story_articles_time ON story_articles(story_id, appeared_at);

CREATE INDEX stories_wide ON stories(last_at, family_count, article_count, first_at)
    WHERE family_count > 1;

CREATE INDEX polls_feed ON polls(feed_id, started_at, outcome, new, ms);

CREATE INDEX article_names_article ON article_names(article_id);

CREATE TRIGGER tag_new AFTER INSERT ON article_topics WHEN NEW.on_topic = 1
    BEGIN
INSERT INTO topic_days (topic, day, articles) VALUES (NEW.topic, substr(NEW.published_at, 1, 10), 1)
    ON CONFLICT (topic, day) DO UPDATE SET articles = articles + 1;
INSERT INTO topic_outlets (topic, day, outlet_id, articles, wire)
    SELECT NEW.topic, substr(NEW.published_at, 1, 10), a.outlet_id, 1,
        a.copy_of IS NOT NULL OR a.agency IS NOT NULL FROM articles a WHERE a.id = NEW.article_id
    ON CONFLICT (topic, day, outlet_id) DO UPDATE SET articles = articles + 1, wire = wire + excluded.wire;
INSERT INTO story_topics (story_id, topic, articles, last_at)
    SELECT s.story_id, NEW.topic, 1, NEW.published_at FROM story_articles s
    WHERE s.article_id = NEW.article_id
    ON CONFLICT (story_id, topic) DO UPDATE SET articles = articles + 1,
        last_at = max(last_at, excluded.last_at);
    END;

CREATE TRIGGER tag_gone AFTER DELETE ON article_topics WHEN OLD.on_topic = 1
    BEGIN
UPDATE topic_days SET articles = articles - 1 WHERE topic = OLD.topic AND day = substr(OLD.published_at, 1, 10);
DELETE FROM topic_days WHERE topic = OLD.topic AND day = substr(OLD.published_at, 1, 10) AND articles = 0;
UPDATE topic_outlets SET articles = articles - 1, wire = wire - (SELECT copy_of IS NOT NULL OR agency IS NOT NULL FROM articles WHERE id = OLD.article_id)
    WHERE topic = OLD.topic AND day = substr(OLD.published_at, 1, 10) AND outlet_id = (SELECT outlet_id FROM articles WHERE id = OLD.article_id);
DELETE FROM topic_outlets WHERE topic = OLD.topic AND day = substr(OLD.published_at, 1, 10) AND outlet_id = (SELECT outlet_id FROM articles WHERE id = OLD.article_id) AND articles = 0;
UPDATE story_topics SET articles = articles - 1 WHERE story_id = (SELECT story_id FROM story_articles WHERE article_id = OLD.article_id) AND topic IN (OLD.topic);
DELETE FROM story_topics WHERE story_id = (SELECT story_id FROM story_articles WHERE article_id = OLD.article_id) AND topic IN (OLD.topic) AND articles = 0;
UPDATE story_topics SET last_at = coalesce((SELECT max(t.published_at) FROM story_articles s
    CROSS JOIN article_topics t ON t.article_id = s.article_id AND t.topic = story_topics.topic
    WHERE s.story_id = story_topics.story_id AND t.on_topic = 1), last_at)
    WHERE story_id = (SELECT story_id FROM story_articles WHERE article_id = OLD.article_id) AND topic IN (OLD.topic) AND last_at <= OLD.published_at;
    END;

CREATE TRIGGER tag_off AFTER UPDATE OF on_topic, published_at ON article_topics
    WHEN OLD.on_topic = 1 AND (OLD.on_topic <> NEW.on_topic OR OLD.published_at <> NEW.published_at)
    BEGIN
UPDATE topic_days SET articles = articles - 1 WHERE topic = OLD.topic AND day = substr(OLD.published_at, 1, 10);
DELETE FROM topic_days WHERE topic = OLD.topic AND day = substr(OLD.published_at, 1, 10) AND articles = 0;
UPDATE topic_outlets SET articles = articles - 1, wire = wire - (SELECT copy_of IS NOT NULL OR agency IS NOT NULL FROM articles WHERE id = OLD.article_id)
    WHERE topic = OLD.topic AND day = substr(OLD.published_at, 1, 10) AND outlet_id = (SELECT outlet_id FROM articles WHERE id = OLD.article_id);
DELETE FROM topic_outlets WHERE topic = OLD.topic AND day = substr(OLD.published_at, 1, 10) AND outlet_id = (SELECT outlet_id FROM articles WHERE id = OLD.article_id) AND articles = 0;
UPDATE story_topics SET articles = articles - 1 WHERE story_id = (SELECT story_id FROM story_articles WHERE article_id = OLD.article_id) AND topic IN (OLD.topic);
DELETE FROM story_topics WHERE story_id = (SELECT story_id FROM story_articles WHERE article_id = OLD.article_id) AND topic IN (OLD.topic) AND articles = 0;
UPDATE story_topics SET last_at = coalesce((SELECT max(t.published_at) FROM story_articles s
    CROSS JOIN article_topics t ON t.article_id = s.article_id AND t.topic = story_topics.topic
    WHERE s.story_id = story_topics.story_id AND t.on_topic = 1), last_at)
    WHERE story_id = (SELECT story_id FROM story_articles WHERE article_id = OLD.article_id) AND topic IN (OLD.topic) AND last_at <= OLD.published_at;
    END;

CREATE TRIGGER tag_on AFTER UPDATE OF on_topic, published_at ON article_topics
    WHEN NEW.on_topic = 1 AND (OLD.on_topic <> NEW.on_topic OR OLD.published_at <> NEW.published_at)
    BEGIN
INSERT INTO topic_days (topic, day, articles) VALUES (NEW.topic, substr(NEW.published_at, 1, 10), 1)
    ON CONFLICT (topic, day) DO UPDATE SET articles = articles + 1;
INSERT INTO topic_outlets (topic, day, outlet_id, articles, wire)
    SELECT NEW.topic, substr(NEW.published_at, 1, 10), a.outlet_id, 1,
        a.copy_of IS NOT NULL OR a.agency IS NOT NULL FROM articles a WHERE a.id = NEW.article_id
    ON CONFLICT (topic, day, outlet_id) DO UPDATE SET articles = articles + 1, wire = wire + excluded.wire;
INSERT INTO story_topics (story_id, topic, articles, last_at)
    SELECT s.story_id, NEW.topic, 1, NEW.published_at FROM story_articles s
    WHERE s.article_id = NEW.article_id
    ON CONFLICT (story_id, topic) DO UPDATE SET articles = articles + 1,
        last_at = max(last_at, excluded.last_at);
    END;

CREATE TRIGGER report_new AFTER INSERT ON story_articles
    BEGIN
UPDATE story_articles SET appeared_at = (SELECT coalesce(a.published_at, a.first_seen_at) FROM articles a WHERE a.id = story_articles.article_id) WHERE article_id = NEW.article_id;
INSERT INTO story_topics (story_id, topic, articles, last_at)
    SELECT NEW.story_id, t.topic, 1, t.published_at FROM article_topics t
    WHERE t.article_id = NEW.article_id AND t.on_topic = 1
    ON CONFLICT (story_id, topic) DO UPDATE SET articles = articles + 1,
        last_at = max(last_at, excluded.last_at);
    END;

CREATE TRIGGER report_gone AFTER DELETE ON story_articles
    BEGIN
UPDATE story_topics SET articles = articles - 1 WHERE story_id = OLD.story_id AND topic IN (SELECT topic FROM article_topics WHERE article_id = OLD.article_id AND on_topic = 1);
DELETE FROM story_topics WHERE story_id = OLD.story_id AND topic IN (SELECT topic FROM article_topics WHERE article_id = OLD.article_id AND on_topic = 1) AND articles = 0;
UPDATE story_topics SET last_at = coalesce((SELECT max(t.published_at) FROM story_articles s
    CROSS JOIN article_topics t ON t.article_id = s.article_id AND t.topic = story_topics.topic
    WHERE s.story_id = story_topics.story_id AND t.on_topic = 1), last_at)
    WHERE story_id = OLD.story_id AND topic IN (SELECT topic FROM article_topics WHERE article_id = OLD.article_id AND on_topic = 1) AND last_at <= (SELECT o.published_at FROM article_topics o WHERE o.article_id = OLD.article_id AND o.topic = story_topics.topic);
    END;

CREATE TRIGGER report_moved AFTER UPDATE OF story_id ON story_articles WHEN OLD.story_id <> NEW.story_id
    BEGIN
UPDATE story_topics SET articles = articles - 1 WHERE story_id = OLD.story_id AND topic IN (SELECT topic FROM article_topics WHERE article_id = OLD.article_id AND on_topic = 1);
DELETE FROM story_topics WHERE story_id = OLD.story_id AND topic IN (SELECT topic FROM article_topics WHERE article_id = OLD.article_id AND on_topic = 1) AND articles = 0;
UPDATE story_topics SET last_at = coalesce((SELECT max(t.published_at) FROM story_articles s
    CROSS JOIN article_topics t ON t.article_id = s.article_id AND t.topic = story_topics.topic
    WHERE s.story_id = story_topics.story_id AND t.on_topic = 1), last_at)
    WHERE story_id = OLD.story_id AND topic IN (SELECT topic FROM article_topics WHERE article_id = OLD.article_id AND on_topic = 1) AND last_at <= (SELECT o.published_at FROM article_topics o WHERE o.article_id = OLD.article_id AND o.topic = story_topics.topic);
INSERT INTO story_topics (story_id, topic, articles, last_at)
    SELECT NEW.story_id, t.topic, 1, t.published_at FROM article_topics t
    WHERE t.article_id = NEW.article_id AND t.on_topic = 1
    ON CONFLICT (story_id, topic) DO UPDATE SET articles = articles + 1,
        last_at = max(last_at, excluded.last_at);
    END;

CREATE TRIGGER article_wire AFTER UPDATE OF copy_of, agency ON articles
    WHEN (OLD.copy_of IS NOT NULL OR OLD.agency IS NOT NULL) <> (NEW.copy_of IS NOT NULL OR NEW.agency IS NOT NULL)
    BEGIN
UPDATE topic_outlets SET wire = wire + (NEW.copy_of IS NOT NULL OR NEW.agency IS NOT NULL) - (OLD.copy_of IS NOT NULL OR OLD.agency IS NOT NULL)
    WHERE (topic, day, outlet_id) IN (SELECT t.topic, substr(t.published_at, 1, 10), NEW.outlet_id
        FROM article_topics t WHERE t.article_id = NEW.id AND t.on_topic = 1);
    END;

CREATE TRIGGER article_moment AFTER UPDATE OF published_at ON articles
    WHEN OLD.published_at IS NOT NEW.published_at
    BEGIN
UPDATE story_articles SET appeared_at = (SELECT coalesce(a.published_at, a.first_seen_at) FROM articles a WHERE a.id = story_articles.article_id) WHERE article_id = NEW.id;
    END;

CREATE TRIGGER article_new AFTER INSERT ON articles
    BEGIN
INSERT INTO article_days (day, articles, first_article) VALUES (substr(NEW.first_seen_at, 1, 10), 1, NEW.id)
    ON CONFLICT (day) DO UPDATE SET articles = articles + 1,
        first_article = min(first_article, excluded.first_article);
    END;

CREATE TRIGGER article_gone AFTER DELETE ON articles
    BEGIN
UPDATE article_days SET articles = articles - 1 WHERE day = substr(OLD.first_seen_at, 1, 10);
DELETE FROM article_days WHERE day = substr(OLD.first_seen_at, 1, 10) AND articles = 0;
    END;
