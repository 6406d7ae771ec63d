#!/usr/bin/env python3
"""Mixes two exported checkpoints of which one was trained on from the other: every tensor becomes A + share * (B - A).

usage: mix.py FOLDER_A FOLDER_B OUT_FOLDER [PART=SHARE ...]

PART is how names of tensors begin behind `model.` (mm_vis, mm_rand_aud, layers.3); the longest that fits counts. `rest` is all that no PART
names, 0.5 unless it is given. Shares are 0 to 1 of B. Sums are float32, the result is of A's types; the other files are A's.
"""
import pathlib
import shutil
import sys

from safetensors.torch import load_file, save_file

from export import SHARD

REST = "rest"


def parse_share(text):
    part, _, share = text.partition("=")
    try:
        value = float(share)
    except ValueError:
        value = -1
    if not part or not 0 <= value <= 1:
        raise SystemExit(f"{text}: expected PART=SHARE with a share of 0 to 1")
    return part, value


def share_of(name, shares):
    parts = [part for part in shares if name.startswith(f"model.{part}")]
    return shares[max(parts, key=len)] if parts else shares[REST]


def read(folder):
    path = pathlib.Path(folder, SHARD)
    if not path.is_file():
        raise SystemExit(f"{folder}: expected a folder that export.py wrote, found no {SHARD}")
    return load_file(path)


def mix(a, b, shares):
    """{name: tensor} of both -> the mix"""
    if odd := [name for name in sorted(a.keys() | b.keys()) if name not in a or name not in b or a[name].shape != b[name].shape]:
        raise SystemExit(f"the two checkpoints differ in {len(odd)} tensors' names or shapes, {odd[0]} first")
    if idle := [part for part in shares if part != REST and not any(name.startswith(f"model.{part}") for name in a)]:
        raise SystemExit(f"no tensor's name begins with model.{idle[0]}")
    return {name: t.float().lerp(b[name].float(), share_of(name, shares)).to(t.dtype).contiguous() for name, t in a.items()}


def main(a, b, out, *texts):
    shares = {REST: 0.5} | dict(map(parse_share, texts))
    mixed, out = mix(read(a), read(b), shares), pathlib.Path(out)
    if out.exists():
        raise SystemExit(f"{out}: is there already")
    shutil.copytree(a, out, ignore=shutil.ignore_patterns(SHARD))
    save_file(mixed, out / SHARD, metadata={"format": "pt"})
    (out / SHARD).chmod(0o644)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
