"""Opens and clicks by machines: mail programs that fetch every picture, and scanners that follow every link."""

from __future__ import annotations

import re
from typing import Any

from event_pipeline.inbound.delivery import text_of

USER_AGENTS = re.compile(
    # Apple's Mail Privacy Protection says this and nothing else.
    r"^mozilla/5\.0$"
    # Scanners of mail gateways, link previews, and programs that are no browser.
    r"|barracuda|mimecast|proofpoint|symantec|fireeye|cloudmark|trendmicro|trend micro|sophos|zscaler|ironport"
    r"|google-safety|safebrowsing|safelinks|bingpreview|skypeuripreview"
    # Cubot makes phones; every other word that ends with bot is a program.
    r"|headlesschrome|phantomjs|(?<!cu)bot\b|facebookexternalhit|crawler|spider|scanner"
    r"|^(?:curl|wget|python|java|okhttp|go-http-client|ruby|php|axios|node-fetch|libwww|apache-httpclient)",
    re.IGNORECASE,
)
"""User agents of machines. Google's and Yahoo's picture proxies are none: they fetch when somebody opens the mail."""

FLAGS = ("sg_machine_open", "bot", "is_bot", "isBot", "is_machine", "machine_open", "machineOpen")
"""Names under which providers say that a machine opened or clicked: SendGrid's, Mailgun's, and common ones."""

_CLIENT_TYPES = frozenset({"robot", "library"})
_NO = frozenset({"", "false", "f", "no", "n", "none", "0", "0.0", "null"})


def is_machine(*details: dict[str, Any], user_agent: Any = None) -> bool:
    """Whether a provider's details of an open or click flag it as a machine's, or the user agent is one."""
    if any(_is_said(detail.get(flag)) for detail in details for flag in FLAGS):
        return True
    if any((text_of(detail.get("client-type")) or "").lower() in _CLIENT_TYPES for detail in details):
        return True
    return bool(USER_AGENTS.search((text_of(user_agent) or "").strip()))


def _is_said(flag: Any) -> bool:
    return flag is True or (text_of(flag) or "").strip().lower() not in _NO
