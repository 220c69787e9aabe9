"""One picture from the web for somebody who waits: an address in, its bytes out, or a sentence why there are none.

The same door as for whole lists of addresses: the guard at the connection, 20 MB, 10 seconds, a few redirects.
"""

from __future__ import annotations

from core.data.fetch import fetch
from core.data.url_list import UrlRow
from core.data.web import Limits
from core.errors import DataError

LIMITS = Limits(at_once=1, per_host=1, retries=1)


def fetch_picture(url: str, *, allow_hosts: tuple[str, ...] = (), limits: Limits = LIMITS) -> bytes:
    """The bytes behind an address, whatever they are; DataError when nothing came. Takes up to `limits.deadline_s`."""
    [found] = fetch([UrlRow(1, "", url.strip())], limits=limits, allow_hosts=allow_hosts)
    if found.data is None:
        raise DataError(found.reason, hint=_HINTS.get(found.code, "Save the picture and bring it as a file."))
    return found.data


_HINTS = {
    "bad_address": "Copy the address of the picture itself; it begins with https.",
    "refused_address": "Save the picture and bring it as a file.",
    "too_large": "Save the picture, make it smaller, and bring it as a file.",
    "too_slow": "Try again, or save the picture and bring it as a file.",
}
