"""What strangers write stays words, and what is private stays closed. Every page, through Datasette's own client."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import poison
import pytest
import sample
from desk import ATOM, METADATA, Reader, ask, get, numbers, pages, words

from pipeline.browse import safe, stored
from pipeline.browse.serve import build


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return sample.build(tmp_path_factory.mktemp("db"))


@pytest.fixture(scope="module")
def site(files: tuple[Path, Path]) -> Any:
    return build(*files, METADATA, title="The Desk", now=sample.NOW, texts_open=True)


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A newsroom where every outlet means harm."""
    news, feedback = sample.build(tmp_path_factory.mktemp("poison"))
    poison.poison(news)
    return build(news, feedback, METADATA, title="The Desk", now=sample.NOW, texts_open=True)


# --- safety ---------------------------------------------------------------------------------------------------


def test_hostile_content_comes_out_inert_on_every_page(poisoned: Any) -> None:
    every = [f"/article/{n}" for n in range(1, 20)] + [f"/story/{n}" for n in range(1, 8)]
    for path in (*pages(poisoned), *every):
        answer = get(poisoned, path)
        assert answer.status_code == 200, path
        if "html" not in answer.headers["content-type"]:
            continue
        page = Reader(answer.text)
        assert not [*page.all("script"), *page.all("img"), *page.all("iframe")], path
        assert len(page.all("svg")) == answer.text.count('<svg class="chart'), path
        for name, attributes in page.elements:
            assert not [key for key in attributes if key.startswith("on")], (path, name, attributes)
            for key in ("href", "src", "action", "formaction"):
                where = attributes.get(key)
                if where is not None:
                    assert re.match(r"(https?://[^\s\\]|/(?!/)|\?|#|$)", where), (path, where)
        assert "49" not in re.findall(r"TikTok (\S+)", page.text), path


def test_hostile_atom_still_parses_and_links_only_to_the_web(poisoned: Any) -> None:
    for path in ("/feed.atom", "/topic/tiktok-sale.atom"):
        root = ET.fromstring(get(poisoned, path).content)
        assert root.findall(f"{ATOM}entry")
        for link in root.iter(f"{ATOM}link"):
            assert link.get("href", "").startswith(("http://", "https://"))


@pytest.mark.parametrize(
    "url", [*poison.EVIL_URLS[:-1], None, 7, "", "ftp://x.example/", "http://[bad", "https://a" * 2000]
)
def test_only_web_addresses_become_links(url: object) -> None:
    assert safe.safe_url(url) is None


def test_a_good_address_stays_and_loses_what_browsers_ignore() -> None:
    assert safe.safe_url(" https://a.example/\tx?y=1#z\n") == "https://a.example/x?y=1#z"


def test_arbitrary_sql_is_refused(site: Any) -> None:
    for path in ("/news?sql=select+1", "/news.json?sql=select+1", "/news/articles?_where=1%3D1"):
        assert get(site, path).status_code in {400, 403}, path
    assert "1 extra where" not in get(site, "/news/articles?_where=1%3D1").text


def test_feedback_and_texts_are_private_and_the_file_is_not_for_download(site: Any) -> None:
    closed = ("/feedback", "/feedback/labels", "/feedback/labels.json", "/news/article_texts",
              "/news/article_texts.json",
              "/news/article_texts/1", "/news/article_words.json", "/news/articles_fts.json",
              "/news/articles_fts_data.json",
              "/news.db", "/-/databases.json", "/-/threads.json")  # fmt: skip
    for path in closed:
        assert get(site, path).status_code in {403, 404}, path
    assert "feedback" not in get(site, "/.json").text + get(site, "/news").text


def test_earlier_texts_do_not_leak_through_the_revisions_table(site: Any) -> None:
    assert ask(site, "SELECT count(*) FROM revisions WHERE text IS NOT NULL") > 0
    for path in (
        "/news/revisions.json?_size=max&_shape=array",
        "/news/revisions.csv?_stream=on",
        "/news/revisions?n=1",
    ):
        assert "EARLIER" not in get(site, path).text


def test_texts_are_passages_unless_the_desk_opens_them(files: tuple[Path, Path]) -> None:
    public = build(*files, METADATA, now=sample.NOW)
    page = get(public, f"/article/{numbers(public)['article']}")
    assert "What matched, in its own words" in words(page)
    assert "<mark>TikTok</mark>" in page.text
    assert "will still be able to use the app" not in words(page)


@pytest.mark.parametrize("path", ["/\\evil.example/", "/%5Cevil.example/", "/news\\x", "/%5cevil.example"])
def test_a_path_with_a_backslash_is_refused(site: Any, path: str) -> None:
    answer = asyncio.run(site.client.get(path, follow_redirects=False))
    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_what_is_not_there_is_told_kindly(site: Any) -> None:
    for path, said in (
        ("/story/999999", "There is no story of that number"),
        ("/story/abc", "There is no story of that number"),
        ("/story/99999999999999999999", "There is no story"),
        ("/article/999999", "There is no article of that number"),
        ("/topic/nope", "There is no topic of that name"),
        ("/nope", "There is nothing at this address"),
        ("/news/nope", "There is nothing at this address"),
    ):
        answer = get(site, path)
        assert answer.status_code == 404, path
        assert said in words(answer), path
        assert "Front page" in words(answer), path
        assert "content-security-policy" in answer.headers
    assert get(site, "/topic/nope.atom").status_code == 404


def test_pages_only_answer_to_reading(site: Any) -> None:
    assert asyncio.run(site.client.post("/feeds")).status_code in {403, 405}


def test_every_link_follows_base_url(files: tuple[Path, Path]) -> None:
    moved = build(*files, METADATA, now=sample.NOW, base_url="/desk/")
    for path in pages(moved):
        answer = get(moved, path)
        assert answer.status_code == 200, path
        if "html" in answer.headers["content-type"]:
            for _, attributes in Reader(answer.text).elements:
                for key in ("href", "action"):
                    where = attributes.get(key) or ""
                    assert not where.startswith("/") or where.startswith("/desk/"), (path, where)
    assert asyncio.run(moved.client.get("/threads.json", follow_redirects=False)).status_code == 404
    assert get(moved, "/-/threads").status_code == 404


def test_evil_evidence_becomes_values_or_nothing() -> None:
    for text in (*poison.EVIL_EVIDENCE, None, 7, "null", "[]"):
        for item in stored.evidence(text):
            assert abs(item.points) < 1e9
            assert all(0 <= start < end for start, end in item.spans)
