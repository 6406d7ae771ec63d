#!/usr/bin/env python3
"""Turns the answers in a folder of `vidi-ask --batch` into one Parquet file.

    to_parquet.py hits hits.parquet

A row a hit, a window and a film, as the folder has them; a film that failed is a row of kind `file` with its sentence. Memory is
that of one row group. The file is written beside and renamed.
"""
import itertools
import json
import os
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema([
    ("uri", pa.string()), ("key", pa.string()), ("run_id", pa.string()), ("model", pa.string()), ("query_id", pa.string()), ("query", pa.string()),
    ("kind", pa.string()), ("start_ns", pa.int64()), ("stop_ns", pa.int64()), ("confidence", pa.float64()), ("source", pa.string()),
    ("label", pa.string()), ("text", pa.string()), ("window_start_ns", pa.int64()), ("window_stop_ns", pa.int64()), ("has_audio", pa.bool_()),
    ("frames", pa.int64()), ("status", pa.string()), ("error", pa.string()), ("wall_s", pa.float64()), ("device", pa.string())])
GROUP = 100_000  # rows


def rows_in(folder):
    names = sorted(name for name in os.listdir(folder) if name.endswith((".jsonl", ".failed")))
    for name in names:
        path = folder / name
        if path.suffix == ".failed" and path.with_suffix(".jsonl").exists():
            continue  # it was asked again since
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    row = json.loads(line)
                    yield {field: row[field] for field in SCHEMA.names}
                except (ValueError, KeyError, TypeError):
                    sys.exit(f"to_parquet.py: {path}, line {number}: expected a row of vidi-ask --batch")


def write(folder, file):
    rows, n = rows_in(folder), 0
    with pq.ParquetWriter(file, SCHEMA) as writer:
        while group := list(itertools.islice(rows, GROUP)):
            writer.write_table(pa.Table.from_pylist(group, SCHEMA))
            n += len(group)
    return n


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    if not folder.is_dir():
        sys.exit(f"to_parquet.py: {folder}: expected the folder of vidi-ask --batch --out")
    if out.is_dir() or out.resolve().parent == folder.resolve() and out.suffix in (".jsonl", ".failed", ".begun", ".json"):
        sys.exit(f"to_parquet.py: {out}: expected a file of its own to write")
    beside = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        n = write(folder, beside)
        os.replace(beside, out)
    except (OSError, pa.ArrowException) as why:
        sys.exit(f"to_parquet.py: {out} cannot be written: {why}")
    finally:
        beside.unlink(missing_ok=True)
    print(f"{n} rows")


if __name__ == "__main__":
    main()
