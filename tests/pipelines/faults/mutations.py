"""Composed deliveries, and what disks, lines and people do to files: seeded, so that a fault can be had again.

Every person and order here is made up.
"""

import gzip
import io
import json
import random
from collections.abc import Callable
from pathlib import Path

import polars as pl

from tests.pipelines.small_shops import order_line

FORMATS = ("csv", "tsv", "parquet", "xlsx", "jsonl", "csv.gz")


def composed_orders(generator: random.Random, orders: int = 12) -> pl.DataFrame:
    """Order lines with odd names, cents, notes with line breaks, and a few kinds of trouble already in them."""
    lines = []
    for number in range(orders):
        for line in range(generator.randint(1, 3)):
            lines.append(
                order_line(
                    str(100 + number),
                    ordered_at=f"2024-0{generator.randint(1, 5)}-{generator.randint(10, 28)} 1{line}:30:00",
                    customer_id=str(generator.randint(1, 6)),
                    email=generator.choice(["", "zoë@example.com", "Bo@Example.com"]),
                    product_id=generator.choice(["MUG", "CUP", "JÄR", "POST"]),
                    product_name=generator.choice(['Mug, "large"', "Cup\nand saucer", "Jär ½ l", ""]),
                    quantity=str(generator.randint(1, 9)),
                    unit_price=f"{generator.randint(1, 90)}.{generator.randint(10, 99)}",
                )
            )
    names = list(dict.fromkeys(name for line in lines for name in line))
    return pl.DataFrame([{name: line.get(name) for name in names} for line in lines])


def written(frame: pl.DataFrame, file_format: str) -> bytes:
    """Give the frame as the bytes of a file."""
    out = io.BytesIO()
    match file_format:
        case "csv":
            frame.write_csv(out)
        case "tsv":
            frame.write_csv(out, separator="\t")
        case "csv.gz":
            out.write(gzip.compress(frame.write_csv().encode(), mtime=0))
        case "parquet":
            frame.write_parquet(out)
        case "xlsx":
            frame.write_excel(out)
        case _:
            out.write("\n".join(json.dumps(row) for row in frame.to_dicts()).encode())
    return out.getvalue()


def mutated(generator: random.Random, frame: pl.DataFrame, file_format: str) -> tuple[bytes, str]:
    """Write the frame with one to three mishaps; the bytes, and what happened."""
    happened: list[str] = []
    for _ in range(generator.randint(0, 2)):
        mishap = generator.choice(TO_ROWS)
        frame = mishap(generator, frame)
        happened.append(mishap.__name__)
    content = written(frame, file_format)
    for _ in range(generator.randint(0 if happened else 1, 2)):
        mishap = generator.choice(TO_BYTES)
        content = mishap(generator, content)
        happened.append(mishap.__name__)
    return content, ", ".join(happened)


def drop_a_column(generator: random.Random, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop(generator.choice(frame.columns)) if frame.width > 1 else frame


def shuffle_columns(generator: random.Random, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(generator.sample(frame.columns, frame.width))


def double_a_column(generator: random.Random, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        pl.col(generator.choice(frame.columns)).alias(f"copy {generator.randint(1, 9)}")
    )


def swap_columns(generator: random.Random, frame: pl.DataFrame) -> pl.DataFrame:
    one, other = generator.sample(frame.columns, 2) if frame.width > 1 else (frame.columns[0],) * 2
    return frame.with_columns(pl.col(one).alias(other), pl.col(other).alias(one)) if one != other else frame


def double_rows(generator: random.Random, frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, frame.sample(min(3, frame.height), seed=generator.randint(0, 999))])


def shuffle_rows(generator: random.Random, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sample(fraction=1, shuffle=True, seed=generator.randint(0, 999))


def out_of_range(generator: random.Random, frame: pl.DataFrame) -> pl.DataFrame:
    odd = ["-1", "1e308", "99999999999999999999", "nan", "31/02/2024", "2024-13-01", "03/04/2024", "1,234", "=1+1",
           "x" * 5000, "\u202e", "NULL", " ", "٣", "2999-01-01 00:00:00", "0001-01-01", "-0.00001"]  # fmt: skip
    column, row = generator.choice(frame.columns), generator.randrange(max(1, frame.height))
    value = generator.choice(odd)
    return (
        frame.with_row_index("_row")
        .with_columns(
            pl.when(pl.col("_row") == row).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
        )
        .drop("_row")
    )


def flip_bytes(generator: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(generator.randint(1, 8)):
        if changed:
            changed[generator.randrange(len(changed))] = generator.randrange(256)
    return bytes(changed)


def cut_short(generator: random.Random, content: bytes) -> bytes:
    return content[: generator.randrange(len(content) + 1)]


def lose_the_beginning(generator: random.Random, content: bytes) -> bytes:
    return content[generator.randrange(len(content) + 1) :]


def repeat_a_piece(generator: random.Random, content: bytes) -> bytes:
    start = generator.randrange(len(content) + 1)
    return content[:start] + content[max(0, start - generator.randint(1, 200)) :]


def mix_encodings(generator: random.Random, content: bytes) -> bytes:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return content
    middle = generator.randrange(len(text) + 1)
    other = generator.choice(["utf-16", "latin-1", "cp1252", "utf-8-sig"])
    halves = [text[:middle].encode("utf-8"), text[middle:].encode(other, errors="replace")]
    return b"".join(halves) if generator.random() < 0.7 else text.encode(other, errors="replace")


def insert_noise(generator: random.Random, content: bytes) -> bytes:
    noise = generator.choice(
        [b"\x00" * 7, b'"', b"\r", b"\n\n\n", b";;;", b"\xff\xfe", b"Total:,,\n", b"{", b"\t"]
    )
    place = generator.randrange(len(content) + 1)
    return content[:place] + noise + content[place:]


TO_ROWS: tuple[Callable[[random.Random, pl.DataFrame], pl.DataFrame], ...] = (
    drop_a_column,
    shuffle_columns,
    double_a_column,
    swap_columns,
    double_rows,
    shuffle_rows,
    out_of_range,
)
TO_BYTES: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    flip_bytes,
    cut_short,
    lose_the_beginning,
    repeat_a_piece,
    mix_encodings,
    insert_noise,
)


def write(path: Path, content: bytes) -> Path:
    """Write bytes, making the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
