"""The page and the Markdown say what the lines say, and no text of a line gets out of its place."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.evaluation.report.lines import HEAD, injection_line, set_line, spoken_line, write
from voice_agent.errors import UnusableInput
from voice_agent.evaluation.intervals import difference, share
from voice_agent.evaluation.report.page import run_report


class Text(HTMLParser):
    """What a reader sees, the tags that were opened and not closed, the ids, the links within the page, the scripts."""

    VOID = ("meta", "link", "br", "circle", "path", "use", "image", "rect", "line", "polyline", "stop")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.open, self.scripts = "", list[str](), 0
        self.ids, self.links, self.tags = list[str](), list[str](), set[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.scripts += tag == "script"
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [value for name, value in attrs if name == "href" and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def report(folder: Path, out: Path | None = None) -> tuple[str, str]:
    out = out or folder / "report.html"
    assert run_report([folder], out=out) == 0
    return out.read_text(encoding="utf-8"), out.with_suffix(".md").read_text(encoding="utf-8")


def rows_of(page: str) -> list[list[str]]:
    """Every table row of the page as plain text."""
    rows = re.findall(r"<tr.*?</tr>", page, re.DOTALL)
    return [[Text(cell).text.strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)] for row in rows]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    lines = [set_line(row, "async", right=row % 4 > 0, first_written_s=1.0 + row / 10) for row in range(8)]
    lines += [set_line(row, "think", right=row % 2 > 0) for row in range(8)]
    write(tmp_path / "gsm8k.jsonl", lines)
    injected = [injection_line(row, what) for row in range(4) for what in ("plain", "altered")]
    for row in range(4):
        for placement in ("both", "before"):
            for point in (30, 60):
                right = placement == "both" or row == 0
                at: dict[str, Any] = {"placement": placement, "point": point}
                injected.append(injection_line(row, "correction", right, stale=not right, **at))
                injected.append(injection_line(row, "remark", changed=row == 0, **at))
    write(tmp_path / "injection.jsonl", injected)
    spoken = [spoken_line(row, "text", row < 4) for row in range(5)]
    spoken += [spoken_line(row, "clean", row < 3, word_errors=row) for row in range(5)]
    write(tmp_path / "spoken.jsonl", spoken, {**HEAD, "dataset": "spoken"})
    return tmp_path


def test_numbers_on_the_page_are_those_of_the_lines(kept: Path) -> None:
    page, text = report(kept)
    six, four = share(6, 8), share(4, 8)
    rows = {row[0]: row for row in rows_of(page)}
    assert rows["right"] == [
        "right",
        *(f"{100 * s.mean:.1f} % [{100 * s.low:.1f}, {100 * s.high:.1f}]" for s in (six, four)),
    ]
    ours, theirs = [float(row % 4 > 0) for row in range(8)], [float(row % 2 > 0) for row in range(8)]
    assert rows["right, minus async"][2] == difference(theirs, ours).points()
    assert rows["first written word"][1].startswith("1.35 s [")
    assert rows["total delay, times that of async"][2] == "10.0 [10.0, 10.0]"
    assert "| right | 75.0 % \\[" in text
    both = next(row for row in rows_of(page) if row[:2] == ["both", "all"])
    assert both[2:4] == ["8", "100.0 % [51.0, 100.0]"]
    clean = next(row for row in rows_of(page) if row[0] == "async, clean")
    assert clean[1:3] == ["5", "60.0 % [23.1, 88.2]"]
    assert clean[3].startswith("75.0 % [")
    assert clean[4] == "10.0 %"


def test_the_first_paragraph_says_what_was_not_reached(kept: Path) -> None:
    page, text = report(kept)
    lead = re.search(r'<p class="lead">(.*?)</p>', page, re.DOTALL)
    assert lead
    assert lead[1].startswith("Not reached: a spoken question is answered rightly at least 90 % as often")
    assert "; wrong answers: reasoning 1, voice 1). What would mend them:" in lead[1]
    assert (
        "Not measured: async is not shown to be less accurate than think (math500, commonsenseqa, truthfulqa)"
        in lead[1]
    )
    assert text.split("\n")[2].startswith("Not reached: a spoken question")


def test_every_figure_leads_to_its_lines(kept: Path) -> None:
    page, text = report(kept)
    read = Text(page)
    assert len(read.ids) == len(set(read.ids))
    within = [link[1:] for link in read.links if link.startswith("#")]
    assert set(within) <= set(read.ids)
    assert not [link for link in read.links if not link.startswith("#")]
    assert "gsm8k.jsonl:2-9" in read.text
    assert "gsm8k.jsonl:10-17" in text
    assert read.open == []


def test_drawings_are_whole_and_in_the_colours_of_the_page(kept: Path) -> None:
    page, _ = report(kept)
    drawings = re.findall(r"<figure.*?>(<svg.*?</svg>)<figcaption>", page, re.DOTALL)
    assert len(drawings) == 3  # frontier, delays, moments of the corrections
    for drawing in drawings:
        ElementTree.fromstring(drawing)
        assert "var(--series-1)" in drawing
        assert "#0100" not in drawing
        assert "#0101" not in drawing
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"|"-//W3C[^>]*', "", page)


def test_the_same_lines_give_the_same_bytes(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    out = tmp_path_factory.mktemp("out")
    assert report(kept, out / "1.html")[0] == report(kept, out / "2.html")[0]


WILD = st.text(st.characters(exclude_categories=("Cs",)), max_size=30) | st.sampled_from(
    ["</details>", "<script>alert(1)</script>", "{{ 7 * 7 }}", "{% raw %}", "a | b", "$x_1^2$", "&amp;", "-->", "#|`"]
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wild=WILD, mode=WILD)
def test_no_text_of_a_line_gets_out_of_its_place(
    wild: str, mode: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("wild")
    timeline = [["thoughts", 0.0, 3.0, wild], ["audible", 1.0, 4.0, wild]]
    texts: dict[str, Any] = {"spoken": wild, "thoughts": wild, "stated": wild, "timeline": timeline}
    lines = [set_line(1, "async", **texts), set_line(1, mode or "think", False, **texts, key=f"b {wild}")]
    write(folder / "x.jsonl", lines, {**HEAD, "model": wild})
    page, text = report(folder)
    read = Text(page)
    assert read.open == []
    assert read.scripts == 1
    assert "details" in read.tags
    shown = " ".join(read.text.split())
    assert " ".join(wild.replace("\x00", "�").split()) in shown
    cells = [line.replace("\\|", "").count("|") for line in text.split("\n") if line.startswith("| items")]
    assert cells == [4 if mode != "async" else 3]


def test_unusable_places(kept: Path) -> None:
    with pytest.raises(UnusableInput, match="is where the Markdown goes"):
        run_report([kept], out=kept / "report.md")
    with pytest.raises(UnusableInput, match="is no table of targets"):
        run_report([kept], out=kept / "report.html", targets=kept / "gsm8k.jsonl")
    with pytest.raises(UnusableInput, match="cannot write"):
        run_report([kept], out=kept / "gsm8k.jsonl" / "report.html")
