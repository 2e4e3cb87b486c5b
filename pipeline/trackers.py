"""Query parameters that say how a reader came, not what is read. Tables of knowledge, and one question to them.

Three kinds, from sure to careful: names that mean nothing else anywhere; names that one outlet uses so; names such as
`ref`, which count as a way of coming only where their value names one.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

# Each line: where it is documented or seen.
TRACKERS = frozenset(
    """
    fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid ysclid twclid ttclid li_fat_id igshid igsh epik rdt_cid
    scid_click mc_cid mc_eid _ga _gl gad_source gad_campaignid srsltid
    _hsenc _hsmi mkt_tok vero_id vero_conv oly_anon_id oly_enc_id _openstat ml_subscriber ml_subscriber_hash rb_clickid
    at_medium at_campaign at_campaign_type at_custom1 at_custom2 at_custom3 at_custom4 at_link_id at_link_origin
    at_link_type at_format at_ptr_name at_bbc_team ns_mchannel ns_source ns_campaign ns_linkname ns_fee
    pinned_post_locator pinned_post_asset_id pinned_post_type intlink_from_url link_location
    smid smtyp partner emc campaign_id instance_id segment_id regi_id intcmp
    cmp cmpid cmp_id icid ito xtor wt_mc wt.mc_id wt_zmc wt.zmc wt.nav wt.rss_f wt.rss_ev wt.tsrc ocid
    soc_src soc_trk ncid cid_source traffic_source sref srnd ftag ref_src ref_url __twitter_impression
    feedtype feedname source_feed guccounter guce_referrer guce_referrer_sig .tsrc tsrc s_cid s_kwcid ef_id
    dlvr_it __source echobox ecbox socialnetwork trkcampaign sc_campaign sc_channel sc_content sc_country
    sc_geo sc_medium sc_outcome scmp_medium spm fsrc wpisrc wpmm wprss hpid itid ftcamp cmpname wtmc
    akamai-rum amp_js_v amp_gsa usqp __amp_source_origin aoh amp_lite amp_r amp_latest_update_time
    jsessionid phpsessid cfid cftoken zenid oscsid replytocom doing_wp_cron
    """.split()
)
# fbclid, igshid, igsh: Meta; gclid to wbraid, gad_*, srsltid: Google help; msclkid: Microsoft; yclid, ysclid,
# _openstat: Yandex; mc_*: Mailchimp; _hs*: HubSpot; at_*, ns_*, pinned_post_*: BBC; smid, partner, emc: New York
# Times; cmp, intcmp: Guardian, Fox; ito: Daily Mail; xtor: AT Internet (Le Monde); wt_mc: Webtrekk (German
# broadcasters); ocid: MSN; soc_*, ncid, guce_*, .tsrc: Yahoo; ftag: CBS and CNET; s_cid, s_kwcid, ef_id: Adobe; sc_*:
# Salesforce; fsrc: Economist; wpisrc, hpid, itid: Washington Post; ftcamp: FT; amp_js_v,
# usqp, aoh: Google's AMP viewer; jsessionid to oscsid: sessions of Java, PHP, ColdFusion, shops; replytocom,
# doing_wp_cron: WordPress.
PREFIXES = (
    "utm_",
    "pk_",
    "mtm_",
    "hsa_",
    "oft_",
    "guce_",
    "aspsessionid",
    "piwik_",
    "matomo_",
    "stm_",
    "wt.mc",
    "itm_",
)

# What only these outlets mean so, by the end of the host name. Seen in their feeds and share buttons.
OF_HOST = {
    "npr.org": "ft f sc",
    "time.com": "xid",
    "fortune.com": "xid",
    "people.com": "xid",
    "wired.com": "mbid",
    "newyorker.com": "mbid",
    "vanityfair.com": "mbid",
    "abcnews.go.com": "cid",
    "cnn.com": "cid hpt iref eref sr rss",
    "nytimes.com": "ref rss hp _r action module pgtype contentcollection region src te nl clicksource"
    " searchresultposition version referringsource unlocked_article_code rref",
    "washingtonpost.com": "tid arc404 tidr s_l",
    "wsj.com": "mod reflink st",
    "barrons.com": "mod reflink",
    "marketwatch.com": "mod reflink siteid rss",
    "bloomberg.com": "leadsource in_source",
    "reuters.com": "il rpc edition-redirect taid channelname rpc",
    "ft.com": "accesstoken sharetype segmentid",
    "latimes.com": "track",
    "cnbc.com": "par",
    "dw.com": "maca",
    "spiegel.de": "sara_ref sara_ecid",
    "faz.net": "gepc",
    "sueddeutsche.de": "reduced",
    "elpais.com": "prm ssm event_log rel",
    "indiatimes.com": "from utmsource utmmedium utmcampaign pcode",
    "ndtv.com": "pfrom",
    "usatoday.com": "csp gnt-cfr",
    "politico.com": "nname nid nrid nlid",
    "thehill.com": "rl rnd",
    "businessinsider.com": "r ir",
    "forbes.com": "sh",
    "msn.com": "cvid ei pc li",
    "cbc.ca": "__vfz",
    "theverge.com": "showcomments",
    "yahoo.com": "fr",
    "kyodonews.net": "phrase words",
    "substack.com": "r isfreemail triedredirect",
    "medium.com": "source sk",
}
_OF_HOST = {host: frozenset(names.split()) for host, names in OF_HOST.items()}

# `ref=rss` says how one came; `ref=48213` may be the article. Known by the value alone.
WAYS = frozenset(
    "ref refer referer referrer referral source src from via origin medium channel cid cmpid ns xtor mod".split()
)
_WAY = re.compile(
    r"(?:rss|atom|feeds?|twitter|tw|x|facebook|fb|e?mail|newsletters?|nl|home(?:page)?|hp|front(?:page)?|share(?:bar)?|"
    r"social(?:[_-]?(?:media|flow|share))?|googlenews|google|gnews|bing|apple[_-]?news|flipboard|linkedin|whatsapp|wa|"
    r"telegram|tg|push|app|mobile|msn|yahoo|reddit|instagram|ig|dlvr(?:\.?it)?|feedburner|ifttt|buffer|hootsuite|pocket|"
    r"upday|smartnews|newsbreak|taboola|outbrain|sidebar|nav|related|recirc|mostread|most[_-]?popular|ticker|t\.co|"
    r"(?:www\.)?(?:google|bing|facebook|twitter|yahoo)\.com)"
    r"(?:[_-]?(?:feeds?|rss|share|top|link|button|web|app|stories))?",
    re.I,
)


def is_tracker(pair: str, host: str) -> bool:
    """Whether a pair of a query, `key=value` still percent-encoded, says only how a reader came to `host`."""
    raw_key, _, raw_value = pair.partition("=")
    key = unquote_plus(raw_key).lower()
    if key in TRACKERS or key.startswith(PREFIXES):
        return True
    if key in WAYS and _WAY.fullmatch(unquote_plus(raw_value)):
        return True
    while host:
        if key in _OF_HOST.get(host, ()):
            return True
        host = host.partition(".")[2]
    return False
