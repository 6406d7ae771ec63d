#!/usr/bin/env python3
"""Copies golden cases and keeps at most 1,200 values of each large stage, so that all of them fit into the repository.

usage: thin_goldens.py GOLDEN_FOLDER OUTPUT_FOLDER      (needs numpy and safetensors)

A thinned stage is marked as the goldens mark their own samples: metadata `sample.<stage>` = {"shape", "start", "step"},
values start, start + step, ... of the flattened tensor. Ids, logits and inputs are kept whole.
"""
import json
import pathlib
import shutil
import sys

from safetensors import safe_open
from safetensors.numpy import save_file

KEEP = 1200
# Odd and without small factors, so that a sample walks over all rows, columns and channels.
STEPS = [3, 7, 11, 17, 29, 47, 79, 131, 211, 347, 557, 907, 1481]


def thin(source, target, keep=KEEP):
    with safe_open(source, "numpy") as f:
        tensors = {k: f.get_tensor(k) for k in f.keys()}
        meta = dict(f.metadata())
    for name, t in tensors.items():
        if t.size <= keep or name in ("decoder.logits", "output.ids", "prompt.ids"):
            continue
        step = next(s for s in STEPS if t.size / s <= keep)
        key = "sample." + name
        old = json.loads(meta[key]) if key in meta else {"shape": list(t.shape), "start": 0, "step": 1}
        start = min(step - 1, 5)
        tensors[name] = t.reshape(-1)[start::step].copy()
        meta[key] = json.dumps({"shape": old["shape"], "start": old["start"] + start * old["step"],
                                "step": old["step"] * step})
    save_file(tensors, target, metadata=meta)


def main():
    golden, out = map(pathlib.Path, sys.argv[1:3])
    for case in sorted(golden.glob("*/*/input.safetensors")):
        folder = out / case.parent.relative_to(golden)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(case, folder / case.name)
        thin(case.with_name("expected.safetensors"), folder / "expected.safetensors")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
