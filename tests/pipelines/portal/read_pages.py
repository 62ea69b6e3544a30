"""Reading a page as a browser and a screen reader do: links, forms, headings, tables, pictures, what is forbidden."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset(("br", "hr", "img", "input", "link", "meta", "wbr"))
DRAWN = frozenset(("rect", "circle", "path"))


@dataclass
class Page:
    """What was found in a page."""

    title: str = ""
    text: str = ""
    links: list[str] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    landmarks: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    forms: list[tuple[str, bool]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """All text, spaces as one."""
        return " ".join(self.text.split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.open: list[str] = []
        self.labelled: set[str] = set()
        self.to_label: set[str] = set()
        self.described: set[str] = set()
        self.form: list[str] = []
        self.has_caption: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        page = self.page
        if tag not in VOID and tag not in DRAWN:
            self.open.append(tag)
        if "id" in told:
            page.ids.append(told["id"])
        for name in ("aria-labelledby", "aria-describedby"):
            self.described |= set(told.get(name, "").split())
        if tag in ("script", "style", "iframe", "object") or "style" in told:
            page.faults.append(f"{tag} is forbidden by the page's own policy")
        page.faults += [f"{name} on {tag}: no scripts" for name in told if name.startswith("on")]
        for name in ("href", "src", "action"):
            if told.get(name, "/").startswith(("http:", "https:", "//")):
                page.faults.append(f"{tag} asks {told[name]}")
        match tag:
            case "a":
                page.links.append(told["href"])
            case "h1" | "h2" | "h3" | "h4":
                page.headings.append(int(tag[1]))
            case "header" | "nav" | "main" | "footer" | "aside":
                page.landmarks.append(tag)
            case "label":
                self.labelled.add(told["for"])
            case "form":
                self.form = []
                page.forms.append((told["action"], told.get("method") == "post"))
            case "input" | "select":
                self._field(told)
            case "svg":
                if not (
                    told.get("aria-hidden") == "true"
                    or (told.get("role") == "img" and told.get("aria-label"))
                ):
                    page.faults.append("a picture without a text alternative")
            case "table":
                self.has_caption.append(False)
            case "caption":
                self.has_caption[-1] = True
            case "th" if "scope" not in told:
                page.faults.append("th without scope")
            case _:
                pass

    def _field(self, told: dict[str, str]) -> None:
        self.form.append(told["name"])
        self.page.fields[told["name"]] = told.get("value", "")
        if told.get("type") != "hidden":
            self.to_label.add(told.get("id", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in DRAWN:
            return
        if not self.open or self.open.pop() != tag:
            self.page.faults.append(f"</{tag}> closes nothing")
        if tag == "form" and "form_token" not in self.form:
            self.page.faults.append("a form without its token")
        if tag == "table" and not self.has_caption.pop():
            self.page.faults.append("a table without caption")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "title":
            self.page.title += data
        self.page.text += data + " "

    def finished(self) -> Page:
        page = self.page
        if self.open:
            page.faults.append(f"never closed: {self.open}")
        if page.headings.count(1) != 1 or page.headings[0] != 1:
            page.faults.append(f"headings begin with one h1, not {page.headings}")
        if any(after - before > 1 for before, after in zip(page.headings, page.headings[1:], strict=False)):
            page.faults.append(f"headings leave a level out: {page.headings}")
        if doubled := {name for name in page.ids if page.ids.count(name) > 1}:
            page.faults.append(f"ids stand twice: {doubled}")
        if unlabelled := self.to_label - self.labelled:
            page.faults.append(f"fields without a label: {unlabelled}")
        if lost := self.described - set(page.ids):
            page.faults.append(f"described by what is not there: {lost}")
        if missing := {"header", "main", "footer"} - set(page.landmarks):
            page.faults.append(f"no {missing}")
        return page


def read(html: str) -> Page:
    """Read a page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.finished()
