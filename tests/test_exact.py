# ruff: noqa: E501
"""The two tiers of reading RSS and Atom, side by side: feedparser is the judge of every value we use.

A case of `KNOWN` must be read by the first tier, and be equal; one of `REFUSED` must go to feedparser, and say why. All
words are invented.
"""

from __future__ import annotations

import time

import pytest
from fakes import FEED, response
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import parse
from pipeline.model import ParsedFeed
from pipeline.parse import xml
from pipeline.parse.names import Refused
from tests.bench.corpus import DATA
from tests.side_by_side import Sides, both, differences, real_feeds

SPACES = (
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/"'
    ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:dcterms="http://purl.org/dc/terms/"'
    ' xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:x="http://example.org/unheard-of"'
)


def rss(items: str, channel: str = "", attributes: str = "", version: str = '"2.0"') -> str:
    return (
        f"<?xml version='1.0'?><rss version={version}{SPACES} {attributes}><channel><title>Example Times</title>"
        f"<link>https://example.org/</link>{channel}{items}</channel></rss>"
    )


def item(*parts: str) -> str:
    return rss(f"<item>{''.join(parts)}</item>")


def atom(entry: str, head: str = "", attributes: str = "") -> str:
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" {attributes}>'
        f"<title>Example Times</title><id>tag:example.org,2026:feed</id>{head}<entry>{entry}</entry></feed>"
    )


def rdf(items: str, attributes: str = "", channel: str = "") -> str:
    return (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
        f' xmlns:dc="http://purl.org/dc/elements/1.1/" {attributes}><channel rdf:about="https://example.org/">'
        f"<title>Example Times</title><link>https://example.org/</link>{channel}<items><rdf:Seq>"
        f'<rdf:li resource="https://example.org/b1"/></rdf:Seq></items></channel>{items}</rdf:RDF>'
    )


T, L, G = "<title>Bridge opens</title>", "<link>https://example.org/b1</link>", "<guid>https://example.org/b1</guid>"
D, D2 = "<description>After two years.</description>", "<description>At last.</description>"
CE = "<content:encoded><![CDATA[<p>After two years of work.</p>]]></content:encoded>"
CAPTION = "<media:description>Ribbon and scissors</media:description>"
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'

DATES = """
Mon, 02 Mar 2026 09:30:00 +0100|Mon, 2 Mar 2026 8:30:00 GMT|02 Mar 2026 03:30 EST|Monday, 02 March 2026 08:30:00 UT
Mon, 02 Mar 2026 08:30:00 Z|Mon, 02 Mar 2026 08:30:00 -0000|Mon, 02 Mar 26 08:30:00 GMT|Mon, 02 Mar 2026
Mon, 02 Mar 2026 08:30:00|Mon, 02 Mar 2026 08:30:00 GMT+1|Mon, 02 Mar 2026 08:30:00 Etc/GMT|Mar 02, 2026 08:30:00 PST
2026-03-02T08:30:00Z|2026-03-02t08:30:00z|2026-03-02T09:30:00.123+01:00|2026-03-02T14:00:00+0530|2026-03-02 08:30:00
2026-03-02|2026-03|2026|20260302|2026-03-02T24:00:00Z|2026-02-30T08:30:00Z|2026-03-02T08:30Z|Mon Mar  2 08:30:00 2026
Mon, 2026/03/02 08:30:00 EST|99 Foo 2026|yesterday|0000-00-00T00:00:00Z|Thu, 01 Jan 1970 00:00:00 GMT|1/2/2026 3:04 PM
Sat, 04 Oct 2025 23:59:60 GMT|Tue, 31 Feb 2026 08:30:00 GMT|Wed, 02 Sept 2026 08:30:00 CEST|1969-12-31T23:59:59Z
Mon, 02 Mar 2026 08:30:00 +01:00|9999-12-31T23:59:59-14:00|0001-01-01T00:00:00+14:00|2 Mar 2026 08:30:00 BOGUS|２026-03-02
""".strip().replace("\n", "|").split("|")  # fmt: skip

KNOWN: dict[str, str | bytes] = {
    # RSS, its versions and places
    "RSS 2.0": item(T, L, G, D, "<pubDate>Mon, 02 Mar 2026 08:30:00 GMT</pubDate>"),
    "RSS 0.91": rss(f"<item>{T}{L}{D}</item>", version='"0.91"'),
    "RSS 0.92 in capitals": item(T, L).replace("title>", "TITLE>").replace("item>", "Item>"),
    "RSS without a version": rss(f"<item>{T}{L}</item>").replace(" version='2.0'", ""),
    "items beside the channel": "<rss><channel><title>E</title></channel><item><title>T</title></item></rss>",
    "no items": rss(""),
    "empty items": rss("<item/><item></item><item> </item>"),
    "text around elements": rss(f" a <item> b {T} c {L} d </item> e "),
    "comments and instructions": rss(f"<!-- <item/> --><item><?php x ?>{T}<!-- & -->{L}</item>"),
    # words
    "CDATA": item("<title><![CDATA[Salt & <b>pepper</b>]]></title><description><![CDATA[<p>a</p>]]></description>"),
    "CDATA in two": item("<title>a<![CDATA[b]]>c<![CDATA[]]><![CDATA[ d ]]></title>"),
    "escaped markup": item("<title>Salt &amp; pepper</title><description>&lt;p&gt;a &amp;amp; b&lt;/p&gt;</description>"),
    "double escaped": item("<title>A &amp;amp; B &amp;lt;i&amp;gt;</title><description>&amp;lt;b&amp;gt;</description>"),
    "markup in a title": item("<title>&lt;em&gt;Bridge&lt;/em&gt; opens</title>"),
    "numeric references": item("<title>caf&#233; &#x201C;x&#x201d; &#128512; &#38;lt;</title>"),
    "windows-1252 by number": item("<title>&#147;Bridge&#148; &#133; &#150; &#x80;</title>"),
    "UTF-8 taken for Latin-1": item("<title>CafÃ© fÃ¼r alle</title>", L),
    "control characters of Latin-1": item("<title>a\x85b\x93c\x81</title>"),
    "white space": item("<title>\n  Bridge\n\topens  </title><link>\n https://example.org/b1 \n</link>"),
    "no-break spaces around": item("<title>\xa0Bridge\u2003\u3000</title><guid>\xa0g\xa0</guid>"),
    "empty elements": item("<title/><link/><guid/><description/><pubDate/><dc:creator/><content:encoded/>"),
    "blank elements": item("<title> </title><link> </link><guid> </guid><description>\n</description>"),
    "many scripts": item("<title>大橋開通 — мост открыт — 🌉</title>", "<description>Größe ﬁ ß İ</description>"),
    # two of a kind
    "two titles": item(T, "<title>Second</title>"),
    "an empty title and another": item("<title/>", T, "<title>Third</title>"),
    "dc:title": item("<dc:title>From Dublin</dc:title>", T),
    "dc:title after": item(T, "<dc:title>From Dublin</dc:title>"),
    "two links": item(L, "<link>https://example.org/b2</link>"),
    "a link and an empty one": item(L, "<link/>"),
    "two guids": item(G, '<guid isPermaLink="false">second</guid>'),
    "two descriptions": item(D, D2),
    "three descriptions": item(D, D2, "<description>Third.</description>"),
    "two descriptions and content": item(D, CE, D2),
    "content, then two descriptions": item(CE, D, D2),
    "two contents": item(CE, "<content:encoded>Longer, and longer still.</content:encoded>", D),
    "content before the description": item(CE, D),
    "content alone": item(T, CE),
    "content that is the description": item("<description>a</description><content:encoded>a</content:encoded>"),
    "empty content": item(D, "<content:encoded/>"),
    "itunes:summary after": item(D, "<itunes:summary>Heard aloud.</itunes:summary>"),
    "itunes:summary before": item("<itunes:summary>Heard aloud.</itunes:summary>", D),
    "itunes:summary after content": item(D, CE, "<itunes:summary>Heard aloud.</itunes:summary>"),
    "itunes:subtitle": item(D, "<itunes:subtitle>Short</itunes:subtitle><itunes:title>Other</itunes:title>"),
    "dc:description": item("<dc:description>From Dublin</dc:description>", T),
    "an abstract after a description": item(D, "<abstract>In short</abstract>"),
    "an abstract before a description": item("<abstract>In short</abstract>", D),
    "an abstract of the feed": rss(f"<item>{D}{D2}</item>", "<itunes:summary>A</itunes:summary><abstract>B</abstract>"),
    "abstract": item("<abstract>In short</abstract>"),
    "summary in RSS": item("<summary>In short</summary>", D),
    "atom:summary in RSS": item(D, "<atom:summary type='html'>&lt;b&gt;x&lt;/b&gt;</atom:summary>"),
    "atom:content in RSS": item(D, "<atom:content type='html'>&lt;b&gt;x&lt;/b&gt;</atom:content>"),
    "fullitem": item(D, "<fullitem>All of it</fullitem>"),
    "a word count in the feed": rss(f"<item>{D}{D2}</item>", "<itunes:summary>A</itunes:summary><description>B</description>"),
    "two words of the feed": rss(f"<item>{D}{D2}</item><item>{D}{D2}</item>", "<itunes:summary>A</itunes:summary><itunes:summary>B</itunes:summary>"),
    # names and links
    "guid that is no address": item(T, "<guid>story-7</guid>"),
    "guid that is the link": item(T, G),
    "guid before the link": item(G.replace("b1", "b9"), L),
    "guid that is not the link": item(T, '<guid isPermaLink="false">https://example.org/b9</guid>'),
    "isPermaLink in capitals": item('<guid ISPERMALINK="False">https://example.org/b9</guid>'),
    "isPermaLink of another word": item('<guid isPermaLink="no">https://example.org/b9</guid>'),
    "id in RSS": item("<id>https://example.org/b1</id>", T),
    "attributes with prefixes": item(L, '<guid x:isPermaLink="false">https://example.org/b9</guid><atom:link atom:href="/b3" x:rel="self"/><title x:type="html">T</title>'),
    "an attribute twice, with and without": item(T, '<atom:link href="/b1" x:href="/b2"/><atom:link x:href="/b3" href="/b4"/>'),
    "no guid": item(T, L), "no link": item(T, '<guid isPermaLink="false">7</guid>'), "a title alone": item(T),
    "relative links": rss("<item><link>/b1</link></item><item><link>b2?x=1</link></item><item><link>#b3</link></item>"),
    "xml:base": rss("<item xml:base='2026/'><link>b1</link></item><item><link>b2</link></item>", attributes="xml:base='https://example.org/news/'"),
    "base without xml": rss("<item><link>b1</link></item>", attributes="base='https://example.org/news/'"),
    "xml:base of a channel": rss("").replace("<channel>", "<channel xml:base='https://example.net/a/'><item><link>b1</link></item>"),
    "xml:base of a link": item("<link xml:base='https://example.net/'>b1</link>"),
    "xml:base no one may follow": rss("<item><link>b1</link></item>", attributes="xml:base='javascript:alert(1)'"),
    "xml:base of a title": item("<title xml:base='https://example.net/'>T</title><link>b1</link>"),
    "odd addresses": rss("".join(f"<item><link>{one}</link></item>" for one in (
        "http:///example.org/a", "HTTP://Example.ORG/A", "//example.org/b", "https://example.org", "mailto:ada@example.org",
        "javascript:alert(1)", "http://[broken/", "https://example.org/a b", "https://example.org/?a=1&amp;amp;b=2",
        "https://example.org/?a=1&amp;copy;b=2", "https://user:word@example.org:8080/x", "feed:https://example.org/x",
        "https://example.org/?utm_source=rss&amp;b=2&amp;a=1", "https://example.org/../x/./y", "https://exämple.org/ü",
        "https://example.org/a;b=c", "https://example.org/a?", "https://example.org/a#", "\x7fhttps://example.org/"))),
    "atom:link in an item": item(L, '<atom:link href="https://example.org/b2"/>'),
    "atom:link before the link": item('<atom:link rel="alternate" type="text/html" href="/b2"/>', L),
    "atom:link to other things": item(T, '<atom:link rel="self" href="/s"/><atom:link rel="alternate" type="audio/mpeg" href="/a"/>'),
    "an enclosure": item(L, '<enclosure url="https://example.org/a.mp3" length="1" type="audio/mpeg"/>'),
    "a link with text and address": item('<link href="/b1">https://example.org/b2</link>'),
    "a link by url": item('<link url="/b1"/>'),
    "a link's rel in capitals": item('<link REL="Alternate" HREF="/b1"/>'),
    "links of the feed": rss("", '<atom:link rel="self" href="/feed.xml"/><atom:link rel="hub" href="https://hub.example.org/"/>'
        '<atom:link rel="next" href="page2"/><atom:link rel="self hub" href="both"/><atom:link href="x"/>'),
    # people
    "dc:creator": item("<dc:creator>Ada Fisher</dc:creator><dc:creator> Bo Li </dc:creator>"),
    "author with an address": item("<author>ada@example.org (Ada Fisher)</author>"),
    "author, the other way": item("<author>Ada Fisher &lt;ada@example.org&gt;</author>"),
    "an address alone": item("<author>ada@example.org</author>"),
    "an address with a subject": item("<author>ada@example.org?subject=Bridge (Ada)</author>"),
    "two kinds of authors": item("<author>a@example.org (Ada)</author><dc:creator>Bo</dc:creator><itunes:author>Cy</itunes:author>"),
    "author with a name in it": item("<author><name>Ada</name><email>ada@example.org</email></author>"),
    "author with words and a name": item("<author>Desk <name>Ada</name> news</author>"),
    "people who are not authors": item("<dc:contributor>Bo</dc:contributor><dc:publisher>P</dc:publisher><managingEditor>M</managingEditor>"),
    "two authors, the second by name": item("<author>Ada</author><author><name>Bo</name></author>"),
    "an owner": rss(f"<item>{T}</item>", "<itunes:owner><itunes:name>O</itunes:name><itunes:email>o@example.org</itunes:email></itunes:owner>"),
    "an empty author between": item("<dc:creator>Ada</dc:creator><dc:creator/><dc:creator>Cy</dc:creator>"),
    # media
    "a caption beside a description": item(D, f'<media:content url="a.jpg">{CAPTION}</media:content>'),
    "a caption before the description": item(CAPTION, D), "a caption after content": item(D, CE, CAPTION),
    "a caption alone": item(T, f"<media:group>{CAPTION}<media:description>Second</media:description></media:group>"),
    "a media:title alone": item("<media:group><media:title>In a group</media:title></media:group>", L),
    "a media:title before": item("<media:content><media:title>In content</media:title></media:content>", T),
    "a media:title after": item(T, "<media:title>M</media:title><media:group><media:title>N</media:title></media:group>"),
    "a media:title after an empty one": item("<title/>", "<media:title>M</media:title><media:title>N</media:title>"),
    "the rest of media": item(T, '<media:thumbnail url="t.jpg"/><media:credit role="author">Bo</media:credit>'
        "<media:keywords>a, b</media:keywords><media:rating>nonadult</media:rating><media:category>c</media:category>"
        "<media:text>words</media:text><media:copyright>c</media:copyright><media:license>l</media:license>"),
    # dates
    "every kind of date": item("".join(f"<{tag}>2026-03-0{n}T08:30:00Z</{tag}>" for n, tag in enumerate(
        ("dcterms:created", "dcterms:modified", "dc:date", "updated", "expirationDate"), 1))),
    "published wins": item("<pubDate>2026-03-02</pubDate><dc:date>2026-03-03</dc:date><dcterms:issued>2026-03-04</dcterms:issued>"),
    "a date that is none, and another": item("<pubDate>soon</pubDate><dc:date>2026-03-03</dc:date>"),
    "a date before time": item("<pubDate>Thu, 01 Jan 1960 00:00:00 GMT</pubDate><updated>2026-03-03</updated>"),
    "a long date": item(f"<pubDate>{'Mon, ' * 100}</pubDate>"),
    # what is passed over
    "categories": item(T, '<category domain="d">a</category><category/><dc:subject>s</dc:subject><keywords>k</keywords>'),
    "a source": item(T, '<source url="https://example.net/feed">Other Paper</source>', "<title>After the source</title>"),
    "sources of an aggregator": rss("".join(f"<item><title>T{n} - Other Paper</title><link>https://news.google.com/rss/articles/{'C' * 20}{n}?oc=5</link>{source}</item>"
        for n, source in enumerate(('<source url="https://example.net">Other Paper</source>', "<source>Other Paper</source>", "<source url='u'/>",
        "<atom:source><atom:id>s</atom:id><atom:title>Other Paper</atom:title><atom:title>Not</atom:title></atom:source>", "")))),
    "the address behind a counter's": item(L, '<o:origLink xmlns:o="http://rssnamespace.org/feedburner/ext/1.0">https://example.org/b9</o:origLink>'),
    "the address behind another counter's": item(L, '<pheedo:origLink xmlns:pheedo="http://www.pheedo.com/namespace/pheedo">/b9</pheedo:origLink>'),
    "an atom source": atom("<source><id>s</id><title>Other</title><updated>2026-01-01</updated><link href='/s'/></source>" + T),
    "unheard-of elements": item("<x:thing>a</x:thing><x:deep a='b'><x:er>c<x:est/></x:er></x:deep>", T, "<thing>d</thing>"),
    "an image of the channel": rss(f"<item>{T}</item>", "<image><url>/i</url><title>Picture</title><link>/l</link><width>1</width></image><title>Second</title>"),
    "a picture of an item": item("<image><url>/i</url></image>", T, "<image>https://example.org/i.jpg</image>"),
    "a form": rss(f"<item>{T}</item>", "<textInput><title>Seek</title><description>d</description><name>q</name><link>/q</link></textInput>"),
    "comments": item("<comments>/c</comments><slash:comments xmlns:slash='http://purl.org/rss/1.0/modules/slash/'>3</slash:comments>", T),
    "the rest of a channel": rss("", "<description>d</description><copyright>c</copyright><generator>g</generator><docs>d</docs>"
        "<webMaster>w</webMaster><managingEditor>m</managingEditor><category>c</category><cloud domain='d' port='80'/><rating>r</rating>"
        "<pubDate>2026-03-02</pubDate><lastBuildDate>2026-03-02</lastBuildDate><itunes:image href='i'/><itunes:category text='t'><itunes:category text='u'/></itunes:category>"),
    "names where feedparser keeps its own": item("<links>a</links><authors x='y'/><published_parsed>b</published_parsed>", T, L, G),
    # the feed
    "titles of the feed": rss("", "<title>Second</title><dc:title>Third</dc:title>"),
    "a title of the feed after the items": rss(f"<item>{T}</item><title>Late</title>"),
    "languages": rss("", "<language>en-GB</language><dc:language>de</dc:language>"),
    "a language of the root": rss("", attributes="xml:lang='en_GB'"), "lang without xml": rss("", attributes="lang='fr'"),
    "the language of an item": rss(f"<item><dc:language>de</dc:language>{T}</item>", "<language>en</language>"),
    "hints": rss("", "<ttl> 90 </ttl><sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>"
        "<skipHours><hour>6</hour><hour> 7 </hour><hour>x</hour></skipHours><skipDays><day>Sunday</day></skipDays>"),
    # RDF
    "RSS 1.0": rdf(f'<item rdf:about="https://example.org/b1">{T}{L}{D}<dc:date>2026-03-02T09:30+01:00</dc:date></item>'),
    "RSS 1.0 with other parts": rdf(f'<image rdf:about="i"><title>P</title><url>u</url><link>l</link></image><item rdf:about="b1">{T}</item>'
        "<textinput><title>Seek</title><name>q</name></textinput>"),
    "RSS 1.0 with a guid": rdf(f'<item rdf:about="b1"><guid>b2</guid>{T}{L}</item>'), "RSS 1.0, unnamed": rdf(f"<item>{T}{L}</item>"),
    "RSS 0.9": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/">'
        f"<channel><title>E</title></channel><item>{T}{L}</item></rdf:RDF>",
    "a language of RDF": rdf("", "xml:lang='de'", "<dc:language>en</dc:language>"),
    # Atom
    "Atom": atom(f'<id>tag:a</id>{T}<link href="/b1"/><summary>s</summary><published>2026-03-02T08:30:00Z</published><updated>2026-03-03</updated>'),
    "Atom 0.3": f'<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title mode="escaped">E</title><entry><id>b1</id>{T}<issued>2026-03-02</issued>'
        '<modified>2026-03-03</modified><content type="text/html" mode="escaped">&lt;p&gt;x</content></entry></feed>',
    "Atom with a prefix": '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>E</a:title><a:entry><a:id>1</a:id><a:title>T</a:title></a:entry></a:feed>',
    "Atom without a namespace": f"<feed><title>E</title><entry><id>1</id>{T}</entry></feed>",
    "Atom in a namespace of its own": f"<feed xmlns='http://example.org/mine'><title>E</title><entry><id>1</id>{T}</entry></feed>",
    "Atom, its types": atom('<title type="html">&lt;b&gt;T&lt;/b&gt;</title><summary type="text">a &lt; b</summary><content type="html">&lt;p&gt;x&lt;/p&gt;</content>'),
    "Atom, content before the summary": atom('<content type="html">c</content><summary>s</summary>'),
    "Atom, content alone": atom("<content>c</content>"), "Atom, content elsewhere": atom('<content type="text/html" src="/c"/><summary>s</summary>'),
    "Atom, two summaries": atom("<summary>a</summary><summary>b</summary>"),
    "Atom, two contents": atom("<content>a</content><content>bb</content><content>c</content>"),
    "Atom, links": atom('<link rel="edit" href="/e"/><link rel="replies" type="text/html" href="/r"/><link rel="alternate" href="b1"/><link href="b2" type="application/xhtml+xml"/>'),
    "Atom, no link of its kind": atom('<id>1</id><link rel="alternate" type="application/json" href="/j"/>'),
    "Atom, authors": atom("<author><name>Ada</name></author><author><name>Bo</name><uri>/bo</uri></author><contributor><name>Cy</name></contributor>"),
    "Atom, an author by address": atom("<author><name>Ada</name></author><author><email>bo@example.org</email></author>"),
    "Atom, an author by page": atom("<author><uri>/ada</uri><name/></author><author><name> Bo </name></author>"),
    "Atom, an author of Blogger": atom('<author><name>Ada</name><gd:image xmlns:gd="http://schemas.google.com/g/2005" rel="x" src="y"/></author>'),
    "Atom, an author of the feed": atom(T, "<author><name>Ada</name><uri>/a</uri></author><subtitle>s</subtitle><rights>r</rights><icon>/i</icon><logo>/l</logo>"),
    "Atom, bases": atom('<link href="b1"/><content xml:base="https://example.net/" type="html">x</content>', attributes='xml:base="/news/" xml:lang="en"'),
    "Atom, an entry of its own base": atom('<link href="b1"/>').replace("<entry>", '<entry xml:base="https://example.net/x/">'),
    "Atom, a video": atom(f"<id>yt:1</id>{T}<media:group><media:title>T</media:title><media:content url='v'/>{CAPTION}</media:group>"),
    # XHTML
    "XHTML": atom(f'<content type="xhtml"><div {XHTML}><p class="a&quot;b">Rain &amp; wind<br/>at <em>sea</em></p></div></content>'),
    "XHTML with a prefix": atom('<content type="xhtml"><h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>Rain</h:p></h:div></content>'),
    "XHTML in two": atom(f'<content type="xhtml"> <div {XHTML}>a</div> <div {XHTML}>b</div> </content>'),
    "XHTML within": atom(f'<content type="xhtml"><div {XHTML}><div>a</div></div></content>'),
    "XHTML, empty": atom(f'<content type="xhtml"><div {XHTML}/></content><summary type="xhtml"></summary>'),
    "XHTML in a title": atom(f'<title type="xhtml"><div {XHTML}>Rain &lt; <b>wind</b></div></title><summary type="xhtml"><div {XHTML}>s</div></summary>'),
    "XHTML without its namespace": atom('<content type="xhtml"><div>Rain <b xml:lang="de" REL="X">und</b></div></content>'),
    "XHTML in Atom 0.3": f'<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><content type="application/xhtml+xml"><div {XHTML}>a</div></content></entry></feed>',
    # prefixes
    "odd prefixes": '<rss xmlns:d="http://purl.org/dc/elements/1.1/" xmlns:c="http://purl.org/rss/1.0/modules/content/"><channel><item>'
        "<d:creator>Ada</d:creator><c:encoded>c</c:encoded></item></channel></rss>",
    "prefixes declared where used": "<rss><channel><item><q:creator xmlns:q='http://purl.org/dc/elements/1.1/'>Ada</q:creator>"
        "<q:title xmlns:q='http://www.w3.org/2005/Atom'>T</q:title></item></channel></rss>",
    "a known namespace in capitals": '<rss xmlns:dc="HTTP://PURL.ORG/DC/ELEMENTS/1.1/"><channel><item><dc:creator>Ada</dc:creator></item></channel></rss>',
    "a known prefix for nothing known": '<rss xmlns:media="http://example.org/not-media"><channel><item><media:title>M</media:title></item></channel></rss>',
    "two prefixes for one": '<rss xmlns:a="http://example.org/w" xmlns:b="http://example.org/w"><channel><item><a:x>1</a:x><b:title>2</b:title></item></channel></rss>',
    "RSS in a namespace": f'<rss xmlns="http://backend.userland.com/RSS2"><channel><item>{T}</item></channel></rss>',
    # encodings
    "a byte order mark": b"\xef\xbb\xbf" + item("<title>Caf\xe9</title>").encode(),
    "UTF-16": item("<title>Caf\xe9</title>").encode("utf-16"),
    "windows-1252": item("<title>“Caf\xe9”</title>").replace("?>", " encoding='windows-1252'?>", 1).encode("cp1252"),
    "a declaration that lies": item("<title>Caf\xe9</title>").replace("?>", " encoding='utf-16'?>", 1).encode(),
    "Shift JIS": item("<title>橋が開く</title>").replace("?>", " encoding='shift_jis'?>", 1).encode("shift_jis"),
    # mended
    "white space before": "\n\n " + item(T), "a bare ampersand": item("<title>Salt & pepper</title><link>https://example.org/?a=1&b=2</link>"),
    "entities of HTML": item("<title>caf&eacute;&nbsp;&rsquo;&bogus; &amp; &notit;</title>"),
    "a control character": item("<title>bri\x08dge \x0b\x1f</title>"),
    "half a surrogate pair": item("<title>Sun &#xD83C;&#xDF1E; &#xd800; &#1114112; &#0;</title>"),
    "an ampersand in CDATA and a bare one": item("<title>a & b</title><description><![CDATA[c & &eacute; d]]></description>"),
    "words before the feed": "<?xml?xml version='1.0' ??>\n" + item(T)[21:],
    "prefixes that nobody declared": "<rss version=2.0><channel><item><dc:creator>Ada</dc:creator><x:y q:z='1'>w</x:y><content:encoded>c</content:encoded></item></channel></rss>",
    "a format under a prefix that nobody declared": "<?xml?xml version='1.0' ??><rss rss:version=2.0><rss:channel><rss:title>E</rss:title><rss:item><rss:title>T</rss:title><rss:link>https://example.org/b1</rss:link><rss:guid isPermaLink=false>g</rss:guid></rss:item></rss:channel></rss>",
    "junk after the end": item(T) + "<script>x</script>",
}  # fmt: skip

REFUSED: dict[str, tuple[str | bytes, str]] = {
    "markup in a description": (item("<description>a <b>b</b></description>"), "markup in <description>"),
    "markup in a title": (item("<title>a <i/> b</title>"), "markup in <title>"),
    "a title in something unheard of": (item("<x:deep><title>t</title></x:deep>", T), "<title> in <x_deep>"),
    "an item in an item": (item(T, f"<item>{T}</item>"), "<item> in an entry"),
    "base64": (atom('<content type="application/octet-stream">YQ==</content>'), "another type"),
    "base64 by mode": (atom('<content type="text/plain" mode="base64">YQ==</content>'), "base64"),
    "a body": (item("<body xmlns='http://www.w3.org/1999/xhtml'><p>a</p></body>"), "<xhtml_body>"),
    "a document type": ('<!DOCTYPE rss SYSTEM "rss.dtd">' + item(T)[21:], "document type"),
    "svg": (atom(f'<content type="xhtml"><div {XHTML}><svg/></div></content>'), "<xhtml_svg> in markup"),
    "a known prefix for another": (rss("").replace("xmlns:x=", "xmlns:georss='http://purl.org/dc/terms/' xmlns:x="), "well-known prefix"),
    "one prefix for two": ("<rss><channel><x:a xmlns:x='u:1'/><x:a xmlns:x='u:2'/></channel></rss>", "one prefix"),
    "a picture with a title in an item": (item("<image><title>P</title></image>", T), "<title> in <image>"),
    "two channels": ("<rss><channel/><channel/></rss>", "<channel> beside the channel"),
    "deeper than 64": (item("<x:a>" * 70 + "</x:a>" * 70), "deeper than 64"),
    "tags that do not match": (item("<title>a</titel>"), "not well-formed"),
    "a second document": (item(T) + item(T)[21:], "a second document"),
    "another root": ("<channel><item/></channel>", "root"),
}  # fmt: skip


def sides(body: str | bytes) -> Sides:
    found = both(body.encode() if isinstance(body, str) else body)
    assert found is not None
    return found


@pytest.mark.parametrize("name", KNOWN)
def test_the_first_tier_gives_what_feedparser_gives(name: str) -> None:
    one = sides(KNOWN[name])
    assert isinstance(one.first, ParsedFeed), f"refused: {one.first}"
    assert isinstance(one.second, ParsedFeed), one.second
    assert differences(one.first, one.second) == []


@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize("tag", ["pubDate", "dc:date"])
def test_both_tiers_read_the_same_date(tag: str, date: str) -> None:
    one = sides(item(f"<{tag}>{date}</{tag}>", T))
    assert isinstance(one.first, ParsedFeed)
    assert isinstance(one.second, ParsedFeed)
    assert differences(one.first, one.second) == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_first_tier_does_not_know_goes_to_feedparser(name: str) -> None:
    body, why = REFUSED[name]
    one = sides(body)
    assert isinstance(one.first, Refused)
    assert why in str(one.first)
    if isinstance(one.second, ParsedFeed):
        assert parse.feed(response(body, url=FEED)).entries or not one.second.entries


@pytest.mark.skipif(not DATA.joinpath("feeds.tar.gz").exists(), reason="no recorded feeds beside the project")
def test_on_every_recorded_feed_both_tiers_say_the_same() -> None:
    read = refused = 0
    for name, body in real_feeds():
        one = both(body)
        if one is None:
            continue
        if isinstance(one.first, Refused):
            refused += 1
        elif isinstance(one.second, ParsedFeed):
            read += 1
            assert differences(one.first, one.second) == [], name
    assert read > 8 * refused


# --- at once, in a process that serves others ----------------------------------------------------------------------


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_read_at_once_is_what_a_worker_would_give(name: str) -> None:
    answer = response(KNOWN[name], url=FEED)
    assert parse.at_once(answer) in (None, parse.feed(answer))


@pytest.mark.parametrize(
    ("body", "read"),
    [
        pytest.param(item(T, L, D, CE), True, id="a feed"),
        pytest.param(rss(f"<item>{T}{L}{'<x:a/>' * 60}</item>" * 300), True, id="a large one"),
        pytest.param(item(T) + " " * xml.MAX_AT_ONCE, False, id="too large"),
        pytest.param(item("<x:a " + "a='' " * 50_000), False, id="too many attributes"),
        pytest.param(item("<title>a & b</title>"), False, id="in need of mending"),
        pytest.param(item("<title>a <b>b</b></title>"), False, id="left to feedparser"),
        pytest.param(item(T)[:-20], True, id="cut off"),
        pytest.param('{"items": []}', False, id="JSON"),
        pytest.param("<!doctype html><p>Not a feed", False, id="a page"),
        pytest.param("", False, id="nothing"),
    ],
)  # fmt: skip
def test_what_is_small_and_well_known_is_read_at_once(body: str, read: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml, "AT_ONCE", 10.0)  # a collection of garbage here takes longer than a feed may
    assert (parse.at_once(response(body, url=FEED)) is not None) == read


@pytest.mark.parametrize("allowed", [-1.0, 0.0, 1e-5])
def test_what_takes_long_is_not_read_at_once(monkeypatch: pytest.MonkeyPatch, allowed: float) -> None:
    monkeypatch.setattr(xml, "AT_ONCE", allowed)
    assert parse.at_once(response(rss(f"<item>{T}{L}</item>" * 3000), url=FEED)) is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("<rss><channel>" + "<a/>" * 100_000, id="elements"),
        pytest.param("<rss><channel>" + "".join(f"<a{n}/>" for n in range(50_000)), id="names"),
        pytest.param("<rss><channel><item>" + f"<author>{'a.' * 5000}@</author>" * 20, id="authors"),
        pytest.param("<rss><channel><item><title>&" + "<![CDATA[" * 50_000, id="open CDATA"),
        pytest.param("<rss><channel><item><title>" + "&" * 200_000, id="ampersands"),
        pytest.param("<rss><channel><item><title>&" + "&#55357;" * 50_000, id="half surrogates"),
        pytest.param("<!-- " * 100_000 + "<rss>&", id="open comments"),
        pytest.param(f"<rss {SPACES}><channel><item>" + "<media:group>" * 100_000, id="groups in groups"),
    ],
)
@pytest.mark.slow
def test_hostile_documents_cost_in_proportion_to_their_size(body: str) -> None:
    started = time.process_time()
    xml.quick(body.encode(), FEED)
    # A second is a hundred times what it takes; anything worse than linear takes minutes.
    assert time.process_time() - started < 20


# --- feeds that nobody wrote --------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["", " ", "Rain", "a &amp; b", "&lt;p&gt;wind&lt;/p&gt;", "<![CDATA[<b>x</b> & y]]>", "caf\xe9 \u201c", "\xc3\xa9", "&#146;", "\n t \n"]
)  # fmt: skip
ADDRESSES = st.sampled_from(
    [
        "https://example.org/b1",
        "/b2",
        "b3?x=1&amp;y=2",
        "",
        "story-7",
        "//example.net/",
        "HTTPS://Example.org/b1",
        "a b",
    ]
)
MOMENTS = st.sampled_from(DATES[:16])
TEXTS = (
    "title description summary abstract content:encoded itunes:summary itunes:subtitle dc:title dc:description x:unheard"
    " category atom:summary atom:title author dc:creator itunes:author source comments rights media:title media:description"
).split()
PARTS = st.one_of(
    st.builds(lambda tag, words: f"<{tag}>{words}</{tag}>", st.sampled_from(TEXTS), WORDS),
    st.builds(lambda tag, at: f"<{tag}>{at}</{tag}>", st.sampled_from(["pubDate", "dc:date", "atom:updated"]), MOMENTS),
    st.builds(lambda link: f"<link>{link}</link>", ADDRESSES),
    st.builds(lambda link, rel: f'<atom:link rel="{rel}" href="{link}"/>', ADDRESSES, st.sampled_from(["alternate", "self", "hub", ""])),
    st.builds(lambda guid, told: f"<guid{told}>{guid}</guid>", ADDRESSES, st.sampled_from(["", ' isPermaLink="false"', ' isPermaLink="true"'])),
    st.builds(lambda words, inner: f"<media:group>{inner}<media:title>{words}</media:title></media:group>", WORDS, st.sampled_from(["", CAPTION])),
    st.builds(lambda name, mail: f"<author>{name}{mail}</author>", st.sampled_from(["", "<name>Ada</name>", "<name/>"]),
              st.sampled_from(["", "<email>a@example.org</email>", "<uri>/a</uri>"])),
    st.builds(lambda words: f'<atom:content type="xhtml"><div {XHTML}>a<p>{words}</p></div></atom:content>', st.sampled_from(["", "b", "c &amp; d"])),
)  # fmt: skip
ITEMS = st.lists(st.lists(PARTS, max_size=7).map("".join), max_size=3)


@settings(max_examples=300, deadline=None)
@given(ITEMS, st.lists(PARTS, max_size=4).map("".join), st.sampled_from(["rss", "rdf", "atom"]))
def test_on_feeds_put_together_at_random_both_tiers_say_the_same(items: list[str], head: str, kind: str) -> None:
    one = sides(put_together(items, head, kind))
    if isinstance(one.first, ParsedFeed):
        assert isinstance(one.second, ParsedFeed), one.second
        assert differences(one.first, one.second) == []
        assert len(one.first.entries) + one.first.skipped <= len(items)


def put_together(items: list[str], head: str, kind: str) -> str:
    if kind == "atom":
        entries = "".join(f"<entry>{one}</entry>" for one in items)
        return f'<feed xmlns="http://www.w3.org/2005/Atom"{SPACES}>{head}{entries}</feed>'
    inner = "".join(f"<item>{one}</item>" for one in items)
    if kind == "rss":
        return rss(inner, head)
    space = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
    return f"<rdf:RDF {space}{SPACES}><channel>{head}</channel>{inner}</rdf:RDF>"
