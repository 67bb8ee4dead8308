"""Messages fit for a page that is handed on."""

from __future__ import annotations

import re

_FOLDERS = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?(?:[\\/][^\\/:'\"]+)+(?=[\\/])[\\/]")

LONGEST = 300
"""Characters: compilers write pages."""


def one_line(error: BaseException) -> str:
    """The text of an error in one line of bounded length, without folders of absolute paths.

    Examples
    --------
    >>> from classicsr.report._text import one_line
    >>> one_line(ValueError("/home/me/my scans/a.png: is empty"))
    'a.png: is empty'
    """
    text = _FOLDERS.sub("", " ".join(str(error).split()))
    return text if len(text) <= LONGEST else text[: LONGEST - 4] + " ..."
