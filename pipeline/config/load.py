"""Reading the files of `config/`, with every finding told at once."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline import retention, text
from pipeline.config import shapes
from pipeline.config.values import FetchSettings, Setup, SiteSettings, WebsubSettings
from pipeline.errors import ConfigError, ConfigErrors
from pipeline.model import SCORING, Feed, Outlet, Rules, Term, TopicProfile

ShapeT = TypeVar("ShapeT", bound=shapes.Shape)


# What the tables are called in a message.
_NOUNS = {
    "NewsbeatFile": "newsbeat.toml",
    "FeedsFile": "feeds.toml",
    "OutletsFile": "outlets.toml",
    "TopicFile": "a topic",
    "feed": "a feed",
    "outlet": "an outlet",
    "term": "a term",
    "rules": "the rules",
    "fetch": "[fetch]",
    "site": "[site]",
    "websub": "[websub]",
    "keep": "[keep]",
    "log": "[log]",
}


def load(directory: Path) -> Setup:
    """Everything in `directory`, checked. Raises ConfigErrors with every finding.

    `newsbeat.toml` and `feeds.toml` must be there; `outlets.toml` and `topics/` may be missing.
    """
    findings: list[ConfigError] = []
    if not directory.is_dir():
        raise ConfigErrors(
            (
                ConfigError(
                    str(directory),
                    "",
                    "there is no such directory.",
                    "Point --config at the directory that holds newsbeat.toml.",
                ),
            )
        )
    main = _read(directory / "newsbeat.toml", shapes.NewsbeatFile, findings)
    feeds = _read(directory / "feeds.toml", shapes.FeedsFile, findings)
    outlets = _read(directory / "outlets.toml", shapes.OutletsFile, findings, optional=True)
    profiles = []
    for path in sorted((directory / "topics").glob("*.toml")):
        if shape := _read(path, shapes.TopicFile, findings):
            profiles.append(_profile(path, shape))
    if feeds:
        findings += _twice(directory / "feeds.toml", "url", [entry.url for entry in feeds.feed])
    if outlets:
        file = directory / "outlets.toml"
        findings += _twice(file, "name", [entry.name for entry in outlets.outlet])
        findings += _twice(file, "domains", [domain.lower() for entry in outlets.outlet for domain in entry.domains])
    if findings or main is None or feeds is None:
        raise ConfigErrors(tuple(findings))
    values = main.fetch.model_dump()
    values["allow_addresses"] = tuple(values["allow_addresses"])
    book = tuple(
        Outlet(entry.name, tuple(entry.domains), entry.family or entry.name)
        for entry in (outlets.outlet if outlets else ())
    )
    return Setup(
        site=SiteSettings(main.site.title, main.site.processes),
        fetch=FetchSettings(**values),
        feeds=tuple(Feed(one.url, one.outlet, one.title, one.every, one.certificate) for one in feeds.feed),
        outlets=book,
        topics=tuple(profiles),
        websub=WebsubSettings(main.websub.callback, main.websub.listen),
        keep=retention.Rules(**main.keep.model_dump()),
        log_format=main.log.format,
    )


def load_to_ask(directory: Path) -> Setup:
    """`load`, for whoever is about to ask servers. Raises ConfigError too: they must be told how to reach us (contract
    Q2)."""
    setup = load(directory)
    if not setup.fetch.contact:
        raise ConfigError(
            str(directory / "newsbeat.toml"), "fetch.contact", "is empty.",
            "Say how the servers you ask can reach you: a web page or a mail address.",
        )  # fmt: skip
    return setup


def topic(path: Path) -> TopicProfile:
    """One topic's file, checked. Raises ConfigErrors with every finding."""
    findings: list[ConfigError] = []
    shape = _read(path, shapes.TopicFile, findings)
    if shape is None:
        raise ConfigErrors(tuple(findings))
    return _profile(path, shape)


def fingerprint(directory: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, time and size of every file that `load` would read: equal means nothing changed. Cheap."""
    found = []
    for path in [*sorted(directory.glob("*.toml")), *sorted((directory / "topics").glob("*.toml"))]:
        try:
            stat = path.stat()
        except OSError:
            continue
        found.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(found)


def _read(path: Path, shape: type[ShapeT], findings: list[ConfigError], *, optional: bool = False) -> ShapeT | None:
    """One file in its shape; what is wrong is added to `findings`."""
    given: dict[str, Any] = {}
    written = ""
    try:
        written = path.read_bytes().decode("utf-8")
        given = tomllib.loads(written)
        return shape.model_validate(given)
    except FileNotFoundError:
        if not optional:
            findings.append(
                ConfigError(str(path), "", "the file is missing.", f"Copy config/{path.name} from the distribution.")
            )
        else:
            return shape()
    except UnicodeDecodeError as error:
        findings.append(ConfigError(str(path), "", f"not UTF-8 text (byte {error.start}).", "Save it as UTF-8."))
    except tomllib.TOMLDecodeError as error:
        findings.append(ConfigError(str(path), "", f"not valid TOML: {error}.", _toml_hint(str(error))))
    except OSError as error:
        findings.append(
            ConfigError(str(path), "", f"cannot be read: {error.strerror}.", "Check its owner and permissions.")
        )
    except ValidationError as error:
        found = [(_finding(path, shape, detail), detail["loc"]) for detail in error.errors(include_url=False)]
        findings += [_placed(_named(finding, given, loc), written, given, loc) for finding, loc in found]
    except (ValueError, RecursionError) as error:
        # tomllib lets Python's own limits through: a number of 5,000 digits, brackets nested a thousand deep.
        findings.append(ConfigError(str(path), "", f"not valid TOML: {error}.", _toml_hint(str(error))))
    return None


def _toml_hint(message: str) -> str:
    if "Invalid value" in message:
        return "Texts stand in quotes; numbers and true/false do not."
    if "Cannot overwrite" in message or "Cannot declare" in message:
        return "A key stands once in a table; start each entry with its own [[...]] line."
    return "Compare it with the file in the distribution."


def _finding(path: Path, shape: type[BaseModel], detail: ErrorDetails) -> ConfigError:
    """One of pydantic's findings in our words: where, what, and what to write instead."""
    loc = [part for part in detail["loc"] if not (isinstance(part, str) and part.startswith("function-"))]
    key = _place(loc)
    given = detail.get("input")
    if detail["type"] == "extra_forbidden":
        known = sorted(_keys_at(shape, loc[:-1]))
        near = difflib.get_close_matches(str(loc[-1]), known, n=1, cutoff=0.6)
        cure = f'Did you mean "{near[0]}"?' if near else f"Its keys are {text.listing(known)}."
        where = _NOUNS.get(str(loc[-2] if isinstance(loc[-2], str) else loc[-3]), "") if len(loc) > 1 else ""
        what = where or _NOUNS.get(shape.__name__, "this file")
        return ConfigError(str(path), _place(loc[:-1]), f'"{loc[-1]}" is not a key of {what}.', cure)
    if detail["type"] == "missing":
        return ConfigError(str(path), _place(loc[:-1]), f'the key "{loc[-1]}" is missing.', "Add it.")
    if detail["type"] == "value_error":
        why, _, cure = str(detail["ctx"]["error"]).partition(". ")
        return ConfigError(str(path), key, why.rstrip(".") + ".", cure)
    if detail["type"] == "literal_error":
        return ConfigError(
            str(path), key, f"{given!r} is not one of its values.", f"Choose {detail['ctx']['expected']}."
        )
    shown = f" (it is {given!r})" if isinstance(given, str | int | float | bool) and len(repr(given)) < 60 else ""
    if detail["type"] == "list_type" and isinstance(given, dict):
        return ConfigError(str(path), key, "should be a list.", f"Start each entry with [[{key}]].")
    if detail["type"] == "model_type":
        head = f"[{key}]" if len(loc) == 1 else f"[[{loc[0]}]]"
        return ConfigError(str(path), key, f"should be a table{shown}.", f"Start it with a line {head}.")
    message = detail["msg"].replace("Input should be", "should be").replace("List should", "should")
    return ConfigError(str(path), key, f"{message}{shown}.", "")


def _named(finding: ConfigError, given: dict[str, Any], loc: tuple[int | str, ...]) -> ConfigError:
    """The finding, with the address or name of the entry it is about: nobody counts to the 87th."""
    entries = given.get(loc[0]) if len(loc) > 1 and isinstance(loc[0], str) and isinstance(loc[1], int) else None
    entry = entries[loc[1]] if isinstance(entries, list) and isinstance(loc[1], int) else None
    if not isinstance(entry, dict):
        return finding
    name = next((entry[key] for key in ("url", "name") if isinstance(entry.get(key), str)), "")
    if not name or "@" in name or repr(name) in finding.why:  # what may hold a password is told nowhere
        return finding
    return ConfigError(
        finding.file, f"{finding.key} ({text.clip(text.line(name) or '', 120)})", finding.why, finding.hint
    )


def _placed(finding: ConfigError, written: str, given: dict[str, Any], loc: tuple[int | str, ...]) -> ConfigError:
    """The finding, with line and column where it is about one of a topic's rules: a pattern is searched for by eye."""
    rules = given.get("rules")
    if len(loc) < 3 or loc[0] != "rules" or not isinstance(rules, dict):
        return finding
    _, name, at, *_ = loc
    rule = rules[name][at] if isinstance(rules.get(name), list) and isinstance(at, int) else None
    if not isinstance(rule, str):
        return finding
    # As it stands in single quotes, or with the escapes of double ones.
    spellings = [rule, json.dumps(rule, ensure_ascii=False)[1:-1]]
    start = min((place for one in spellings if one and (place := written.find(one)) >= 0), default=-1)
    if start < 0:
        return finding
    line, column = written.count("\n", 0, start) + 1, start - written.rfind("\n", 0, start)
    return ConfigError(finding.file, f"{finding.key} (line {line}, column {column})", finding.why, finding.hint)


def _place(loc: list[int | str]) -> str:
    """`feed[3].url` for ("feed", 2, "url"): people count from one."""
    place = ""
    for part in loc:
        place += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if place else part
    return place


def _keys_at(shape: type[BaseModel], loc: list[int | str]) -> Iterator[str]:
    """The keys that are known where a key was refused."""
    here: type[BaseModel] = shape
    for part in loc:
        if isinstance(part, str) and part in here.model_fields:
            here = next(_models(here.model_fields[part].annotation), here)
    return iter(here.model_fields)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _twice(path: Path, key: str, values: list[str]) -> list[ConfigError]:
    seen: set[str] = set()
    repeated = dict.fromkeys(value for value in values if value in seen or seen.add(value))  # type: ignore[func-returns-value]
    return [ConfigError(str(path), key, f"{value!r} stands here twice.", "Keep one.") for value in repeated]


def _profile(path: Path, shape: shapes.TopicFile) -> TopicProfile:
    terms = tuple(Term(term.text, term.weight, term.kind, tuple(term.aliases)) for term in shape.term)
    rules = Rules(tuple(shape.rules.any), tuple(shape.rules.all), tuple(shape.rules.none))
    # A file without a scale keeps the hash it had before there was one: its scores are the same.
    scoring = (SCORING, terms, rules, shape.threshold, *([shape.scale] if shape.scale != 1 else []))
    return TopicProfile(
        slug=path.stem,
        title=shape.title,
        terms=terms,
        rules=rules,
        threshold=shape.threshold,
        seed=shape.seed,
        profile_hash=text.digest(repr(scoring))[:16],
        scale=shape.scale,
        fitted=shape.fitted,
    )
