"""Tab-separated text: CSV whose separator is known."""

from pipelines.sources.csv import CsvReader
from pipelines.sources.reader import Format

FORMAT = Format("tsv", "tab-separated text", CsvReader(separator="\t"), suffixes=(".tsv", ".tsv.gz", ".tab"))
