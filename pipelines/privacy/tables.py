"""A person's rows in every table of the lake, found by what the column dictionary says of its columns.

A row is theirs that bears their key in a column of the class pseudonym, or that bears one of their identifiers where it
was delivered; that was judged with such a row (faults, quarantine); that names nobody and belongs to one of their
orders. Rows of others that name them in a text stay, and the text is blackened. What becomes of the rows is decided by
`export` and `erasure`.
"""

from functools import cached_property

import polars as pl

from data_contracts import Privacy, table, table_names
from data_contracts.dictionary import READING_FAULT, ROW_SHAPES
from pipelines.ingest.erased import CELLS, ORDER, rows_of
from pipelines.ingest.identifiers import KINDS, normalised
from pipelines.ingest.numbers import with_numbers
from pipelines.ingest.replays import UNITS
from pipelines.lake import Lake
from pipelines.privacy.person import Person
from pipelines.privacy.terms import blackened, hashes_of, is_telling, naming, text_columns
from pipelines.settings import Source
from pipelines.shop import Numbers, Shop
from pipelines.sources.arrivals import source_name
from pipelines.sources.reader import FAULT

AT = ["delivery_id", "row_number"]
THEIRS = "_is_theirs"
PARTS = ("first_name", "last_name")
SHORTEST_NAME = 5
"""Shorter names stand within many words."""


class Holdings:
    """What the lake's tables hold of a person.

    Parameters
    ----------
    terms, names
        What `terms` and `names` are where that is known already: of an erasure that goes on.
    """

    def __init__(
        self,
        lake: Lake,
        shop: Shop,
        person: Person,
        terms: tuple[str, ...] | None = None,
        names: tuple[str, ...] | None = None,
    ) -> None:
        self.lake, self.shop, self.person = lake, shop, person
        self._known_terms, self._known_names = terms, names
        self._places: dict[str, pl.DataFrame] = {}

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """Texts that name the person: addresses, numbers and keys, normalised and as they were delivered."""
        if self._known_terms is not None:
            return self._known_terms
        found = set(self._normalised_terms)
        for name in self._delivered_tables():
            found |= self._forms(name)
        reached = {term for kind in ("email", "phone") for term in self.person.identifiers.get(kind, ())}
        return tuple(sorted(found | hashes_of(reached)))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Their names as they were delivered, as far as nothing else is called so in other people's rows."""
        if self._known_names is not None:
            return self._known_names
        found: set[str] = set()
        for name in self._delivered_tables():
            found |= self._names_in(name)
        names = sorted(text for text in found if len(text) >= SHORTEST_NAME)
        for name in self._delivered_tables() if names else ():
            rows = self._delivered(name).join(self.places(name).lazy(), on=AT, how="anti")
            used = pl.concat(
                rows.select(
                    pl.col(column)
                    .str.to_lowercase()
                    .str.extract_many([n.lower() for n in names])
                    .alias("name")
                )
                for column in text_columns(rows)
            )
            common = set(used.explode("name").unique().collect(engine="streaming")["name"])
            names = [text for text in names if text.lower() not in common]
        return tuple(names)

    def tables(self) -> list[str]:
        """Give the tables that the dictionary knows, sorted; what is delivered comes last."""
        known = [name for name in self.lake.names() if _is_known(name)]
        return sorted(known, key=lambda name: (name.startswith("raw_"), name.startswith("valid_"), name))

    def may_hold(self, name: str) -> bool:
        """Whether a table's columns can say anything of one person."""
        promised = table(name)
        return bool(
            promised.columns_of(Privacy.PSEUDONYM, Privacy.IDENTIFIER, Privacy.FREE_TEXT)
            or ORDER in promised.schema
            or set(AT) <= set(promised.schema)
        )

    def theirs(self, name: str) -> pl.LazyFrame:
        """Give the person's rows of a table."""
        return self._marked(name).filter(THEIRS).drop(THEIRS)

    def others(self, name: str) -> pl.LazyFrame:
        """Give everybody else's rows of a table, the person blackened in their texts."""
        return self.blackened(self._marked(name).filter(~pl.col(THEIRS)).drop(THEIRS))

    def blackened(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Blacken the person in every text of other people's rows."""
        return blackened(rows, self.terms)

    def naming(self, rows: pl.LazyFrame) -> pl.DataFrame:
        """Give the rows of which a text names the person."""
        return naming(rows, self.terms)

    def naming_nobody(self, cells: pl.LazyFrame, source: Source) -> pl.DataFrame:
        """Give the rows of a delivered file, under canonical names, that name nobody."""
        rows = with_numbers(
            cells.with_columns(delivery_id=pl.lit("")), source.table, {"": self.shop.numbers_of(source)}
        )
        return _naming_nobody(rows.collect(), self.shop)

    def places(self, name: str) -> pl.DataFrame:
        """Delivery and row number of the person's rows of a raw or valid table."""
        if name not in self._places:
            delivered = name.partition("_")[2]
            rows = self._delivered(name)
            unit = ["delivery_id", UNITS[delivered]] if delivered in UNITS else None
            found = rows_of(rows, self.person, self.shop.identity, at=AT, unit=unit)
            said = naming(rows, self._known_terms or self._normalised_terms)
            nameless = _naming_nobody(said, self.shop).select(AT)
            self._places[name] = pl.concat([found, nameless]).unique()
        return self._places[name]

    @property
    def _normalised_terms(self) -> tuple[str, ...]:
        told = [self.person.keys, *(self.person.identifiers.get(kind, ()) for kind in KINDS)]
        plain = {text.partition(":")[2] or text for some in told for text in some}
        return tuple(
            sorted(text for text in plain if is_telling(text) and not _is_own_number(text, self.person))
        )

    def _marked(self, name: str) -> pl.LazyFrame:
        frame = self.lake.scan(name)
        promised = table(name)
        by_place = self._places_behind(name)
        if by_place is not None:
            at = by_place.columns
            marks = by_place.lazy().with_columns(pl.lit(True).alias(THEIRS))
            return frame.join(marks, on=at, how="left").with_columns(pl.col(THEIRS).fill_null(False))
        keys = promised.columns_of(Privacy.PSEUDONYM)
        of_person = [pl.col(key).is_in(self.person.keys).fill_null(False) for key in keys]
        if ORDER in promised.schema:
            orders = pl.Series(self.person.identifiers.get(ORDER, ()), dtype=pl.String)
            names_nobody = pl.all_horizontal(pl.lit(True), *(pl.col(key).is_null() for key in keys))
            of_person.append(pl.col(ORDER).is_in(orders.implode()).fill_null(False) & names_nobody)
        return frame.with_columns(pl.any_horizontal(pl.lit(False), *of_person).alias(THEIRS))

    def _places_behind(self, name: str) -> pl.DataFrame | None:
        """Where the person's rows stand, in tables that have no key but identifiers or the places of delivered rows."""
        shape = next((shape for shape in ROW_SHAPES if name.endswith(f"_{shape}")), None)
        if shape:
            return self.places(f"raw_{name.removesuffix(f'_{shape}')}")
        if name.startswith(("raw_", "valid_")):
            return self.places(name)
        if {"customer_numbers", *CELLS} <= set(table(name).schema):
            key = list(table(name).key)
            return rows_of(
                self.lake.scan(name),
                self.person,
                self.shop.identity,
                at=key,
                unit=[ORDER] if ORDER in key else None,
            )
        return None

    def _delivered_tables(self) -> list[str]:
        return [name for name in self.tables() if name.startswith("raw_")]

    def _delivered(self, name: str) -> pl.LazyFrame:
        """Rows of a raw or valid table, the numbers of several systems told apart."""
        rows = self.lake.scan(name)
        if READING_FAULT in rows.collect_schema():
            rows = rows.rename({READING_FAULT: FAULT})
        ids = rows.select(pl.col("delivery_id").unique()).collect().to_series()
        known = {one.name: self.shop.numbers_of(one) for one in self.shop.sources}
        own = {source: known.get(source, Numbers(source, source)) for source in map(source_name, ids)}
        return with_numbers(rows, name.partition("_")[2], {one: own[source_name(one)] for one in ids})

    def _names_in(self, name: str) -> set[str]:
        """Texts by which rows name the person without telling who it is: names, alone and together."""
        bears = [
            column for column in table(name).columns_of(Privacy.IDENTIFIER) if not column.endswith(CELLS)
        ]
        rows = (
            self._delivered(name)
            .join(self.places(name).lazy(), on=AT, how="semi")
            .select(bears)
            .unique()
            .collect()
        )
        found = {text.strip() for column in rows for text in column.drop_nulls()}
        if set(PARTS) <= set(bears):
            for first, last in rows.select(PARTS).drop_nulls().iter_rows():
                found |= {f"{first.strip()} {last.strip()}", f"{last.strip()}, {first.strip()}"}
        return found

    def _forms(self, name: str) -> set[str]:
        """Their addresses and numbers as they were delivered, as far as they are telling."""
        rows = self._delivered(name).join(self.places(name).lazy(), on=AT, how="semi").collect()
        return {
            text
            for text in self._forms_in(rows)
            if is_telling(text) and not _is_own_number(text, self.person)
        }

    def forms_of(self, rows: pl.DataFrame, name: str) -> list[str]:
        """Give the person's cells among rows of a raw or valid table, in small letters."""
        delivered = self._delivered(name).join(rows.lazy().select(AT), on=AT, how="semi").collect()
        return sorted(text.lower() for text in self._forms_in(delivered))

    def _forms_in(self, rows: pl.DataFrame) -> set[str]:
        found: set[str] = set()
        for cells in _named(rows):
            delivered = cells.lazy().with_columns(pl.col(CELLS).name.suffix("_delivered"))
            who = delivered.pipe(normalised, self.shop.identity).collect()
            for kind, cell in zip(KINDS, ("email", "phone", "customer_id"), strict=True):
                theirs = who.filter(self.person.has(kind, who[kind]))
                found |= {text.strip() for text in theirs[f"{cell}_delivered"].drop_nulls().unique()}
        return found


def _is_own_number(text: str, person: Person) -> bool:
    """Whether it is a customer number of digits alone: an order of somebody else's may have the same."""
    numbers = {number.partition(":")[2] for number in person.identifiers.get("source_id", ())}
    return text.isdecimal() and text in numbers


def _is_known(name: str) -> bool:
    delivered = [
        f"valid_{name.removeprefix('raw_')}",
        *(f"valid_{name.removesuffix(f'_{s}')}" for s in ROW_SHAPES),
    ]
    return bool({name, *delivered} & set(table_names()))


def _named(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Whom rows name, with the customer's cells: a row of two people, twice."""
    prefixes = [name.removesuffix("email") for name in rows.columns if name.endswith("email")]
    extra = [name for name in ("customer_numbers", "country") if name in rows.columns]
    return [
        rows.select(*extra, *(pl.col(prefix + cell).alias(cell) for cell in CELLS)) for prefix in prefixes
    ]


def _naming_nobody(rows: pl.DataFrame, shop: Shop) -> pl.DataFrame:
    is_nobody = pl.repeat(True, len(rows), eager=True)
    for cells in _named(rows):
        who = cells.lazy().pipe(normalised, shop.identity).collect()
        for kind in KINDS:
            is_nobody &= who[kind].is_null()
    return rows.filter(is_nobody)
