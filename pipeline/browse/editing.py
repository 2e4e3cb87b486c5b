"""What editors say: on or off a topic, one event or two. A form in, a word in feedback.db out; news.db is not written.

The site knows no store. Who serves it hands in a `Notebook` that keeps what is said and sees to it that verdicts and
stories follow; without one, and for readers, no form is shown and no word is taken.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol
from urllib.parse import parse_qs

from datasette import Forbidden, Response
from datasette.database import QueryInterrupted
from datasette.utils import actor_matches_allow

from pipeline.errors import NewsbeatError

from . import queries, site
from .queries import Row, ids, rows

Named = tuple[int, str]
"""An article by its number and its address."""

_VERDICTS = {"on": True, "off": False, "forget": None}
_LONGEST_NAME = 80
_MOST_SPLIT = 200


class Notebook(Protocol):
    """Keeps what editors say. Each call is one transaction in feedback.db; errors are `NewsbeatError`."""

    def label(self, article: Named, topic: str, on_topic: bool | None, actor: str) -> None:
        """A word on an article and a topic; `None` takes back all that was said."""

    def merge(self, articles: Sequence[Named], actor: str) -> None:
        """These articles are of one event."""

    def split(self, articles: Sequence[Named], rest: Sequence[Named], actor: str) -> None:
        """These articles are not of one event with the rest."""

    async def followed(self) -> bool:
        """Lets verdicts and stories follow what was said; whether they have. `False`: the service does so soon."""


def notebook(datasette: Any) -> Notebook | None:
    """What `serve.build` was handed, or `None`: then nobody can say anything."""
    found: Notebook | None = getattr(datasette, "newsbeat_notebook", None)
    return found


def editor(datasette: Any, request: Any) -> str | None:
    """The name of the editor who asks; `None` for a reader, or where nothing can be said.

    Who is an editor says `editors` in the plugin's settings, an allow block; without one it is whoever signed in.
    """
    if notebook(datasette) is None or not request.actor:
        return None
    if not actor_matches_allow(request.actor, site.config(datasette).get("editors", {"id": "*"})):
        return None
    name = " ".join(str(request.actor.get("id") or "").split())[:_LONGEST_NAME]
    return name or None


async def said_of(datasette: Any, article: Named) -> dict[str, Row]:
    """The word that counts on one article, by topic, straight from feedback.db: true before any table follows."""
    if queries.FEEDBACK not in datasette.databases:
        return {}
    try:
        values = {"article": article[0], "url": article[1]}
        found = await queries.answered(datasette, queries.FEEDBACK, queries.SAID_OF, values)
    except sqlite3.Error:
        return {}
    return {row["topic"]: row for row in found}


Saying = Callable[[Any, Any, dict[str, list[str]], Notebook, str], Awaitable[tuple[str, str]]]


def said(view: Saying) -> Any:
    """A form behind the door: only a POST, of an editor, with the token of this very page. `view` returns where to go
    on, and what was done in words."""

    async def answer(datasette: Any, request: Any) -> Any:
        await site.check(datasette, request)
        if request.method != "POST":
            return Response.text("Only for forms.", status=405, headers={"allow": "POST"})
        name, kept = editor(datasette, request), notebook(datasette)
        form = await _form(request)
        token, right = _one(form, "csrftoken").encode(), request.scope["csrftoken"]().encode()
        # Datasette's own check lets requests without cookies pass; a browser that signs in by Basic sends none.
        if name is None or kept is None or not secrets.compare_digest(token, right):
            raise Forbidden("Sign in as an editor, and send the form from its own page.")
        try:
            where, words = await view(datasette, request, form, kept, name)
            if words and not await kept.followed():
                words += " The service takes it up within seconds."
        except _Unfit as unfit:
            return await site.page(
                datasette, request, "missing", status=400, what="That cannot be done.", hint=str(unfit)
            )
        except (QueryInterrupted, sqlite3.Error) as error:
            return await site.sorry(datasette, request, error)
        except NewsbeatError as error:
            return await site.page(
                datasette, request, "missing", status=503, what="It could not be kept.", hint=str(error)
            )
        datasette.add_message(request, words or "Nothing was changed.", datasette.INFO)
        return Response.redirect(datasette.urls.path(where), status=303, headers={"cache-control": "no-store"})

    return answer


class _Unfit(Exception):
    """What was asked makes no sense, in words for who asked."""


async def _form(request: Any) -> dict[str, list[str]]:
    """The fields of the form, each with all its values."""
    body = await request.post_body()
    try:
        return parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=2 * _MOST_SPLIT)
    except ValueError:
        return {}


def _one(form: dict[str, list[str]], name: str) -> str:
    return (form.get(name) or [""])[0]


async def _named(datasette: Any, numbers: Sequence[int]) -> list[Named]:
    found = await rows(datasette, queries.ADDRESSES, ids=ids(numbers))
    return [(row["id"], row["url"]) for row in found]


async def _story(datasette: Any, number: int) -> list[Named]:
    return [(row["id"], row["url"]) for row in await rows(datasette, queries.STORY_ADDRESSES, story=number)]


async def label(
    datasette: Any, request: Any, form: dict[str, list[str]], kept: Notebook, name: str
) -> tuple[str, str]:  # fmt: skip
    """On topic, off topic, or taken back: one article and one topic."""
    number, topic, verdict = site.whole(_one(form, "article")), _one(form, "topic"), _one(form, "verdict")
    found = await _named(datasette, [number] if number is not None else [])
    if not found or verdict not in _VERDICTS:
        raise _Unfit("Name an article that is here, and say whether it is on the topic or off it.")
    row = await queries.first(datasette, queries.TOPIC, topic=topic)
    if row is None or not row["active"]:
        raise _Unfit("There is no topic of that name, or it is resting.")
    await _aside(kept.label, found[0], topic, _VERDICTS[verdict], name)
    words = {"on": "On topic", "off": "Off topic", "forget": "Taken back"}[verdict]
    back = f"/topic/{topic}" if _one(form, "back") == "topic" else f"/article/{number}"
    return back, f"{words}: kept for {row['title']}."


async def merge(
    datasette: Any, request: Any, form: dict[str, list[str]], kept: Notebook, name: str
) -> tuple[str, str]:  # fmt: skip
    """Two stories are of one event."""
    story = site.whole(_one(form, "story"))
    # A number, or the address of a story's page as it was copied.
    other = re.search(r"(?:^|/story/)(\d{1,18})(?:$|[/?#.])", _one(form, "other").strip())
    second = int(other.group(1)) if other else None
    if story is None or second is None or story == second:
        raise _Unfit("Name another story, by its number or its address.")
    here, there = await _story(datasette, story), await _story(datasette, second)
    if not here or not there:
        raise _Unfit(f"There is no story {second if here else story}.")
    await _aside(kept.merge, [*here, *there], name)
    return f"/story/{story}", f"Stories {story} and {second} are one event, you say."


async def split(
    datasette: Any, request: Any, form: dict[str, list[str]], kept: Notebook, name: str
) -> tuple[str, str]:  # fmt: skip
    """Some reports are not of one event with the rest of their story."""
    story = site.whole(_one(form, "story"))
    members = await _story(datasette, story) if story is not None else []
    chosen = {site.whole(value) for value in form.get("article", [])[:_MOST_SPLIT]}
    leaving = [one for one in members if one[0] in chosen]
    rest = [one for one in members if one[0] not in chosen]
    if not leaving:
        raise _Unfit("Tick the reports that do not belong to this story first.")
    if not rest:
        raise _Unfit("That is all of the story. Tick only those that do not belong.")
    await _aside(kept.split, leaving, rest, name)
    return f"/story/{story}", f"{len(leaving)} of {len(members)} reports are another event, you say."


async def _aside(work: Callable[..., None], *values: object) -> None:
    """Waits for the file in a thread: another program may hold it for seconds."""
    await asyncio.to_thread(work, *values)
