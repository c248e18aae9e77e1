"""A page as a reader has it: its text, tables, pictures and links."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """A parsed page.

    Attributes:
        tags: All, in their order.
        attributes: Of all tags: tag, name, value.
        ids: Of elements.
        text: What is read, with single blanks.
        tables: By caption the rows of a table, of each the cells' texts.
        values: Likewise the cells' `data-value`, "" where there is none.
    """

    def __init__(self, source: str) -> None:
        """Parse the source of a page."""
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.values: dict[str, list[list[str]]] = {}
        self._said = ""
        self._open: list[str] = []
        self._caption, self._cell = "", False
        self._rows: list[list[str]] = []
        self._row_values: list[list[str]] = []
        self.feed(source)
        self.close()
        self.ids = [value for _, name, value in self.attributes if name == "id"]
        self.text = " ".join(self._said.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag; begin a table, a row or a cell."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._open.append(tag)
        if tag == "table":
            self._caption, self._rows, self._row_values = "", [], []
        elif tag == "tr":
            self._rows.append([])
            self._row_values.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
            self._row_values[-1].append(dict(attrs).get("data-value") or "")
            self._cell = True
        if tag in ("td", "th", "br", "p", "li", "figcaption", "small"):
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        """End a cell or a table."""
        while self._open and self._open.pop() != tag:
            pass
        if tag in ("td", "th"):
            self._cell = False
        elif tag == "table":
            name = " ".join(self._caption.split())
            self.tables[name] = [[" ".join(cell.split()) for cell in row] for row in self._rows]
            self.values[name] = self._row_values

    def handle_data(self, data: str) -> None:
        """Gather text; scripts and styles are none."""
        if self._open and self._open[-1] in ("script", "style"):
            return
        self._said += data
        if self._open and "caption" in self._open[-2:]:
            self._caption += data
        elif self._cell:
            self._rows[-1][-1] += data

    def addresses(self, *names: str) -> list[str]:
        """The values of attributes such as src and href."""
        return [value for _, name, value in self.attributes if name in names]

    def table(self, beginning: str) -> list[list[str]]:
        """The rows of the only table whose caption begins so."""
        (found,) = [rows for caption, rows in self.tables.items() if caption.startswith(beginning)]
        return found

    def row(self, beginning: str, name: str) -> list[str]:
        """The only row of a table whose first cell begins so."""
        (found,) = [row for row in self.table(beginning) if row and row[0].startswith(name)]
        return found
