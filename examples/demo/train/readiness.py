#!/usr/bin/env python3
"""Makes an exported checkpoint say "none" more readily, or less: a bias for the first token of an answer, without training.

usage: readiness.py FOLDER OUT_FOLDER BANK SINGLE [PAIRS]

SINGLE is what is added to the logit of "none" (before its soft cap) for questions about one thing, a word or a sound, PAIRS for those about two at once; PAIRS = SINGLE
unless it is given. The format has no such bias, so the row of "none" in the embedding moves along a direction that answers' first states share and the others lack: least
squares over the states of clips that are drawn as for training. How much is right, the first answers on clips of another hand say (README.md).
"""
import pathlib
import random
import shutil
import sys

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import batches
import plan
import world
from asking import SEEN_NAMES
from export import SHARD
from trained import Trained

CLIPS, FRAMES, RATE = 60, (12, 24, 48), 2.0
QUESTIONS = 8  # of each kind a clip
RIDGE = 100.0  # of the squares of the row's change, beside a few thousand states of some 100 to 200 each
LATER = 0.02  # weight of the states behind the first one, of which there are many
ROW = "model.embed_tokens.weight"


def ask(rng):
    """(question, whether it is about two) at random: what is there is of no account."""
    def heard():
        return rng.randrange(len(world.HEARD))

    def seen():
        return rng.choice(SEEN_NAMES)

    single = [world.ask_typed(heard(), rng) if rng.random() < 0.5 else world.ask_heard(heard(), rng) if rng.random() < 0.6 else world.ask_seen(seen(), rng)
              for _ in range(QUESTIONS)]
    return [(text, False) for text in single] + [(world.ask_both(seen(), heard(), rng), True) for _ in range(QUESTIONS)]


class Listener:
    """The states before the logits, of prompts about drawn clips."""

    def __init__(self, trained, data):
        self.trained, self.bank = trained, plan.bank_of(data)
        self.studio, self.state = batches.Studio(data, False, torch.device("cpu")), None
        trained.model.model.norm.register_forward_hook(lambda _, inputs, output: setattr(self, "state", output))

    def watch(self, rng, frames):
        model, clip = self.trained.model, plan.draw_clip(rng, self.bank, frames, RATE, 1.0)
        drawn = self.studio.draw({"frames": frames, "seconds": clip.seconds, "seen": True, "heard": True, "gpu_seed": rng.getrandbits(60), "truth": {},
                                  "aspects": np.array([clip.aspect], np.float32), "bed": np.array([clip.bed]),
                                  "rows": batches.pictures.sprite_rows([clip]), "notes": batches.sounds.note_rows([clip])})
        image, audio = model.see(drawn["pixels"].float(), frames), model.hear(drawn["mel"].float(), drawn["chunks"], drawn["steps"])
        return clip, model.encode(model.place_frames(image), model.place_audio(audio))

    def states(self, rng, frames):
        """-> (first states, which of them of pairs, later states: of the truth's answers and of the highlights)"""
        clip, (image, audio) = self.watch(rng, frames)
        asked = ask(rng)
        pairs = [(world.RETRIEVAL.format(query=text), "") for text, _ in asked]
        pairs += [(world.RETRIEVAL.format(query=q[0]), q[1]) for q in clip.questions] + [(world.HIGHLIGHT, clip.highlights or world.NOTHING)]
        ids, labels, last = batches.rows_of(pairs, self.trained.tokenizer, 8)
        self.trained.model.read(torch.from_numpy(ids), image, audio, float(clip.audio))
        later = torch.from_numpy(labels) != batches.IGNORED
        later[torch.arange(len(last)), torch.from_numpy(last)] = False
        later[:len(asked)] = False
        first = self.state[torch.arange(len(asked)), torch.from_numpy(last[:len(asked)])]
        return first, torch.tensor([two for _, two in asked]), self.state[later]


def direction(first, wanted, later):
    """The change of a row that adds `wanted` to the logits of the first states and little to those of the later ones."""
    squares = first.T @ first + RIDGE * torch.eye(first.shape[1]) + LATER * len(first) / len(later) * later.T @ later
    return torch.linalg.solve(squares, first.T @ wanted)


def main(folder, out, bank_file, single, pairs=None):
    single, pairs = float(single), float(single if pairs is None else pairs)
    trained, rng = Trained(folder), random.Random("readiness")
    with np.load(bank_file) as file:
        listener = Listener(trained, {name: file[name] for name in file.files})
    with torch.no_grad():
        first, two, later = (torch.cat(part) for part in zip(*(listener.states(rng, rng.choice(FRAMES)) for _ in range(CLIPS))))
    change = direction(first, torch.where(two, pairs, single), later)
    added = first @ change
    print(f"added to the logit of {world.NOTHING}: {added[~two].mean():.2f} +- {added[~two].std():.2f} of {len(added) - two.sum()} questions about one, "
          f"{added[two].mean():.2f} +- {added[two].std():.2f} of {two.sum()} about two, {(later @ change).mean():.2f} +- {(later @ change).std():.2f} later")
    tensors = load_file(pathlib.Path(folder, SHARD))
    tensors[ROW][trained.tokenizer.encode(world.NOTHING)[0]] += change.to(tensors[ROW].dtype)
    shutil.copytree(folder, out, ignore=shutil.ignore_patterns(SHARD))
    save_file(tensors, pathlib.Path(out, SHARD), metadata={"format": "pt"})
    pathlib.Path(out, SHARD).chmod(0o644)


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6):
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
