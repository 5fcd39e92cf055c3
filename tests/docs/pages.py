"""The pages, and what stands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from textwrap import dedent

REPOSITORY = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
FILE_NAME = re.compile(r"\A(?:# |<!-- )([\w/]+\.(?:py|html))\b")


@dataclass(frozen=True)
class Block:
    """A fenced block. ``file`` is the one that it says it belongs into."""

    page: str
    line: int
    language: str
    text: str

    @property
    def file(self) -> str:
        found = FILE_NAME.match(self.text)
        return found[1] if found else ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


class Page:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.relative_to(REPOSITORY).as_posix()
        self.text = path.read_text()

    @cached_property
    def blocks(self) -> list[Block]:
        return [
            Block(self.name, self.text[: found.start()].count("\n") + 1, found[2], dedent(found[3]))
            for found in FENCE.finditer(self.text)
        ]

    @cached_property
    def prose(self) -> str:
        return FENCE.sub("", self.text)

    @property
    def anchors(self) -> set[str]:
        """As GitHub makes them of the headings."""
        headings = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    @property
    def links(self) -> list[str]:
        return re.findall(r"\]\(([^)\s]+)\)", self.prose)

    def files(self) -> dict[str, str]:
        """What the page says to write: path and text; of a file named twice the parts are joined."""
        written: dict[str, str] = {}
        for block in self.blocks:
            if block.file:
                written[block.file] = written.get(block.file, "") + block.text
        return written

    def commands(self) -> Iterator[list[str]]:
        """Our management commands with arguments, in console blocks and in the text."""
        consoles = "\n".join(block.text.replace("\\\n", "") for block in self.blocks if block.language == "console")
        typed = re.findall(r"manage\.py (licenzy_\w+[^|>)\n]*)", consoles)
        said = re.findall(r"`(?:python manage\.py )?(licenzy_\w+ [^`]+)`", self.prose)
        yield from (shlex.split(line) for line in [*typed, *said])

    def requests(self) -> Iterator[tuple[Block, list[str], str]]:
        """Each curl line, with the JSON that the page shows as its answer, if it does."""
        for block, following in zip_longest(self.blocks, self.blocks[1:]):
            if block and block.language == "console" and "curl " in block.text:
                line = block.text.removeprefix("$ ").replace("\\\n", " ")
                shown = following.text if following and following.language == "json" else ""
                yield block, shlex.split(line), shown


def page(name: str) -> Page:
    return Page(REPOSITORY / name)


PAGES = [page("README.md"), *map(Page, sorted((REPOSITORY / "docs").glob("*.md")))]
BLOCKS = [block for each in PAGES for block in each.blocks]
