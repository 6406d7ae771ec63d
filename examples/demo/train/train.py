#!/usr/bin/env python3
"""Trains the demonstration model on one GPU, in stages that save and resume.

usage: train.py BANK FOLDER [--start CHECKPOINT] [--stage N] [--seconds S] [--scale X] [--limit N=S ...]

BANK is bank.npz (bank.py makes it). FOLDER takes tokenizer.model, the state after every stage (state.pt) and the log.
Without --stage all stages run, each from where it was left; a stage that --seconds ends saves its state, and the next
call goes on with it. --start takes the model of an exported folder and begins with stage 4, which gives it a better ear. --limit
4=200 ends stage 4 after 200 s, its learning rate falling in time. --scale 0.01 makes every stage short, to try it. A line of the log ends with milliseconds: of a step, of
waiting for plans, and of each part until the host has launched it / until the device is done. --eager records no CUDA graphs.
"""
import argparse
import dataclasses
import pathlib
import shutil
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

import asking
import batches
import tokenizer
import world
from clock import Clock
from graphs import Replayed
from model import Sizes, Vidi
from muon import optimisers


@dataclasses.dataclass
class Stage:
    steps: int
    lr: float
    picture_share: float
    climb: float        # share of the steps over which clips get harder
    helpers: tuple      # weight of the helper losses at the start and at the end
    towers_learn: bool
    texts: bool         # questions are read
    highlight: float    # weight
    fall_from: float    # share of the steps after which the learning rate falls to 0
    sound_share: float = 0.0  # of batches that are heard alone
    window_share: float = 1.0 # clips fill this share of their window, or more: positions between those of the lengths at hand
    eye_learns: bool = True   # with the other towers; where it rests, no gradient of it is computed either
    near: float = 0.0         # share of the absent questions that are easily taken for what is there; more are absent then
    decide: float = 0.0       # further weight of an answer's first token, which says whether there is anything
    questions: int = asking.QUESTIONS  # about a clip
    settle: int = 0           # steps in which the helpers learn by themselves: an exported model comes without them


# Stages 4 to 6 are for the ear: the audio tower hears clips without pictures; the decoder learns to use what it says; and the lengths of
# clips, of which the stages before had only sixteen at a time, become any. Stage 7 asks twice as much about a clip, and much of it for what
# is easily taken for what is there: the ear had answered that with a time. The eye is as good as it gets by then and rests: when it learnt
# too, it had not settled again when the time was over, and lists of highlights had seen things that were not there.
STAGES = [
    Stage(3000, 2.5e-3, 0.4, 0.0, (1.0, 1.0), True, False, 0.0, 0.75),
    Stage(1500, 2.5e-3, 0.0, 0.55, (0.24, 0.04), False, True, 0.0, 1.0),
    Stage(10000, 2.2e-3, 0.12, 0.0, (0.14, 0.03), True, True, 1.5, 0.15),
    Stage(4300, 1.4e-3, 0.08, 0.0, (0.03, 0.03), True, True, 2.0, 0.0),
    Stage(7200, 2.0e-3, 0.0, 0.0, (1.0, 1.0), True, False, 0.0, 0.3, sound_share=1.0, settle=150),
    Stage(12000, 1.4e-3, 0.0, 0.0, (0.12, 0.03), True, True, 2.0, 0.1, sound_share=0.12, window_share=0.8, settle=300, eye_learns=False),
    Stage(800, 7e-4, 0.0, 0.0, (0.0, 0.0), True, True, 2.0, 0.0, window_share=0.8, eye_learns=False),
    Stage(6500, 1.0e-3, 0.0, 0.0, (0.06, 0.03), True, True, 2.0, 0.0, sound_share=0.1, window_share=0.8, settle=150, eye_learns=False, near=0.6, questions=12, decide=0.3),
]
EAR = 4  # the first of those
EYE = ("mm_vis", "mm_rand_img")
WARM_UP = 100
SAVED_EVERY = 1500  # steps


class Helpers(nn.Module):
    """Training only: what a frame shows, what a token holds, where the asked thing is, when it starts and stops."""

    def __init__(self, hidden):
        super().__init__()
        self.seen = nn.Linear(hidden, len(world.SEEN))
        self.heard = nn.Linear(hidden, len(world.HEARD))
        self.asked = nn.Linear(hidden, 128)
        self.shown, self.sounding = nn.Linear(hidden, 64), nn.Linear(hidden, 64)
        self.bias = nn.Parameter(torch.full((2,), -2.0))
        self.times = nn.Linear(hidden, 4)
        nn.init.constant_(self.seen.bias, -6.0)
        nn.init.constant_(self.heard.bias, -4.0)

    def classes(self, image, truth):
        """image [B, F, 4, 4, H]; a frame shows what one of its tokens shows."""
        logits = self.seen(image.float()).flatten(2, 3).logsumexp(2)
        return F.binary_cross_entropy_with_logits(logits, truth, reduction="none").sum(-1).mean()

    def sounds(self, audio, truth, known, has_audio):
        loss = (F.binary_cross_entropy_with_logits(self.heard(audio.float()), truth, reduction="none") * known).sum(-1).mean(1)
        return (loss * has_audio).sum() / has_audio.sum().clamp(min=1)

    def ground(self, state, image, audio, batch):
        """state [B * R, H] at the end of the question."""
        b = image.shape[0]
        ask = self.asked(state).view(b, -1, 2, 64)
        frames = torch.einsum("brd,bfpd->brfp", ask[:, :, 0], self.shown(image.float().flatten(2, 3))) / 8
        tokens = torch.einsum("brd,bad->bra", ask[:, :, 1], self.sounding(audio.float())) / 8
        seen = F.binary_cross_entropy_with_logits(frames.logsumexp(-1) + self.bias[0], batch["ground_frames"].view(b, -1, frames.shape[2]))
        heard = F.binary_cross_entropy_with_logits(tokens + self.bias[1], batch["ground_tokens"].view(b, -1, tokens.shape[2]), reduction="none").mean((1, 2))
        return seen + (heard * batch["has_audio"]).mean()

    def when(self, state, times):
        known = ~times.isnan()
        return (F.smooth_l1_loss(self.times(state), times.nan_to_num(), beta=0.05, reduction="none") * known).sum() / known.sum().clamp(min=1)


def held(x, reach):
    """x; its gradient times reach."""
    return torch.lerp(x.detach(), x, reach.to(x.dtype))


def first_loss(logits, labels, last):
    """Of each answer's first token."""
    first = logits.gather(1, last[:, None, None].expand(-1, 1, logits.shape[-1]))[:, 0]
    return F.cross_entropy(first, labels.gather(1, last[:, None])[:, 0])


def answer_loss(logits, labels):
    total = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum", ignore_index=batches.IGNORED)
    return total / (labels >= 0).sum().clamp(min=1)


class Trainer:
    def __init__(self, number, stage, folder, data, device, seed, scale, eager=False, limit=None):
        self.number, self.stage, self.folder, self.device, self.limit = number, stage, folder, device, limit
        self.steps = max(2, round(stage.steps * scale))
        torch.manual_seed(seed)
        self.model = Vidi(Sizes()).to(device)
        self.helpers = Helpers(self.model.sizes.hidden).to(device)
        towers = [m for n, m in self.model.model.named_children() if n.startswith("mm_") and "pos_t" not in n and "llm" not in n]
        for tower in towers:
            for name, p in tower.named_parameters():
                p.requires_grad_(stage.towers_learn and ".head." not in name and "embed_positions" not in name)
        for name, p in self.model.model.named_parameters():
            if name.startswith(EYE) and not stage.eye_learns:
                p.requires_grad_(False)
        self.optimisers = optimisers(list(self.model.named_parameters()) + [(f"helper.{n}", p) for n, p in self.helpers.named_parameters()], stage.lr)
        self.base = [o.param_groups[0]["lr"] for o in self.optimisers]
        self.first = 0
        self.load()
        course = batches.Course(f"{seed}-{number}", self.steps, picture_share=stage.picture_share, sound_share=stage.sound_share,
                                window_share=stage.window_share, climb=stage.climb, near=stage.near, questions=stage.questions)
        self.planned = batches.Planned(course, data, folder / "tokenizer.model")
        self.studio = batches.Studio(data, False, device)
        self.parameters = [p for o in self.optimisers for p in o.param_groups[0]["params"]]
        self.learn = self.losses_and_gradients if eager else Replayed(self.losses_and_gradients, self.parameters, device)
        self.sums, self.log, self.clock = {}, open(folder / "log.txt", "a"), Clock(device)

    def load(self):
        path = self.folder / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=False)
        self.model.load_state_dict(state["model"])
        if state["helpers"]:
            self.helpers.load_state_dict(state["helpers"])
        if state["stage"] == self.number and state["optimisers"]:
            self.first = state["step"]
            for optimiser, saved in zip(self.optimisers, state["optimisers"]):
                optimiser.load_state_dict(saved)

    def save(self, step):
        done = step >= self.steps
        state = {"stage": self.number + done, "step": 0 if done else step, "model": self.model.state_dict(), "helpers": self.helpers.state_dict(),
                 "optimisers": [] if done else [o.state_dict() for o in self.optimisers]}
        torch.save(state, self.folder / "state.new")
        (self.folder / "state.new").rename(self.folder / "state.pt")
        if done:
            torch.save(state["model"], self.folder / f"after-{self.number}.pt")  # export.py takes the mean of the last two

    def share_done(self, step):
        """Of the stage: by steps, or by time where that runs out first."""
        by_time = (time.time() - self.began) / self.limit if self.limit else 0
        return min(1.0, max(step / self.steps, by_time))

    def set_rates(self, step):
        s, done = self.stage, self.share_done(step)
        fall = 1 if done < s.fall_from else (1 - done) / (1 - s.fall_from)
        share = min(1, (step + 1) / min(WARM_UP, self.steps)) * fall
        for optimiser, base in zip(self.optimisers, self.base):
            optimiser.param_groups[0]["lr"] = base * share

    def losses(self, batch):
        """{name: (weight, loss)}; without a weight it is only reported."""
        m, h, s, aid, reach = self.model, self.helpers, self.stage, batch["aid"], batch["reach"]
        found = {}
        if "pixels" in batch:
            with torch.set_grad_enabled(s.eye_learns):
                image = m.see(batch["pixels"].to(torch.bfloat16), batch["frames"])
            if s.eye_learns:
                found["classes"] = (aid, h.classes(held(image, reach), batch["frames_true"]))
        if "mel" not in batch:
            return found
        audio = m.hear(batch["mel"].to(torch.bfloat16), batch["chunks"], batch["steps"])
        found["sounds"] = (aid, h.sounds(held(audio, reach), batch["tokens_true"], batch["sound_known"], batch["has_audio"]))
        if s.texts and "ids" in batch:
            found.update(self.text_losses(batch, image, audio, aid))
        return found

    def text_losses(self, batch, image, audio, aid):
        m, h, reach = self.model, self.helpers, batch["reach"]
        seen, heard = m.encode(m.place_frames(image, batch["share"]), m.place_audio(audio, batch["share"]))
        weight = batch["has_audio"].repeat_interleave(len(batch["ids"]) // len(batch["has_audio"]))[:, None, None]
        answers, taps = m.read(batch["ids"], seen, heard, weight, taps=(2, 4))
        last = batch["last"][:, None, None].expand(-1, 1, m.sizes.hidden)
        early, late = (t.gather(1, last)[:, 0] for t in taps)
        found = {"answer": (1.0, answer_loss(answers, batch["labels"])),
                 "ground": (2.5 * aid, h.ground(*(held(t, reach) for t in (early, image, audio)), batch)), "times": (10 * aid, h.when(held(late, reach), batch["times"]))}
        if self.stage.decide:
            found["decide"] = (self.stage.decide, first_loss(answers, batch["labels"], batch["last"]))
        if self.stage.highlight:
            logits, _ = m.read(batch["highlight_ids"], seen, heard, batch["has_audio"][:, None, None])
            found["highlight"] = (self.stage.highlight, answer_loss(logits, batch["highlight_labels"]))
        with torch.no_grad():
            known = batch["labels"] >= 0
            found["right"] = (None, ((answers.argmax(-1) == batch["labels"]) & known).sum() / known.sum())
        return found

    def losses_and_gradients(self, batch):
        with torch.autocast(self.device.type, torch.bfloat16):
            found = self.losses(batch)
        sum(w * value for w, value in found.values() if w is not None).backward()
        return {name: value.detach() for name, (_, value) in found.items()}

    def step(self, item, step):
        first, last = self.stage.helpers
        with self.clock.part("draw"):
            batch = self.studio.draw(item)
            batch["reach"] = torch.full((), float(step >= self.stage.settle * min(1, self.steps / self.stage.steps)), device=self.device)
            batch["aid"] = torch.full((), first + (last - first) * self.share_done(step), device=self.device)
        with self.clock.part("learn"):
            found = self.learn(batch)
        with self.clock.part("update"):
            self.update(step)
        for name, value in found.items():
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = (total + value, count + 1)

    def update(self, step):
        nn.utils.clip_grad_norm_([p for p in self.parameters if p.grad is not None], 1.0, foreach=True)
        self.set_rates(step)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    def report(self, step, start):
        text = " ".join(f"{n} {float(t) / c:.4f}" for n, (t, c) in self.sums.items())
        line = f"stage {self.number} step {step}/{self.steps} {time.time() - start:.0f} s  {text}  {self.clock.text()}"
        print(line, flush=True)
        print(line, file=self.log, flush=True)
        self.sums = {}
        self.clock.start()

    def run(self, until, workers):
        """Trains until the stage's end (True) or the time `until` (False)."""
        if self.first >= self.steps:
            return True
        rest = torch.utils.data.Subset(self.planned, range(self.first, self.steps))
        loader = torch.utils.data.DataLoader(rest, batch_size=None, num_workers=workers, collate_fn=batches.unchanged,
                                             prefetch_factor=3 if workers else None)
        start, step, plans = time.time(), self.first, iter(loader)
        self.began = start
        while (item := self.clock.next(plans)) is not None:
            self.step(item, step)
            step += 1
            if step % 100 == 0 or self.share_done(step) >= 1:
                self.report(step, start)
            if step % SAVED_EVERY == 0:
                self.save(step)
            if time.time() > until or self.share_done(step) >= 1:
                break
        if self.share_done(step) >= 1:
            self.steps = step
        self.save(step)
        return step >= self.steps


def begin_with(checkpoint, folder, stage):
    """The state after the stages that made an exported folder; without helpers, which it does not have."""
    model = {name: t.float() for name, t in load_file(checkpoint / "model-00001-of-00001.safetensors").items()}
    torch.save({"stage": stage, "step": 0, "model": model, "helpers": None, "optimisers": []}, folder / "state.pt")


def own_stream(device):
    """A stream other than the default one, which cannot record graphs."""
    return torch.cuda.stream(torch.cuda.Stream() if device.type == "cuda" else None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bank", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--stage", type=int, choices=range(len(STAGES)))
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=14)
    parser.add_argument("--start", type=pathlib.Path, metavar="CHECKPOINT")
    parser.add_argument("--start-stage", type=int, default=EAR)
    parser.add_argument("--limit", nargs="+", default=[], metavar="STAGE=SECONDS")
    parser.add_argument("--eager", action="store_true")
    arguments = parser.parse_args()
    until = time.time() + arguments.seconds
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.start and not (arguments.folder / "tokenizer.model").exists():
        shutil.copyfile(arguments.start / "tokenizer.model", arguments.folder / "tokenizer.model")
    elif not (arguments.folder / "tokenizer.model").exists():
        tokenizer.train(arguments.folder / "tokenizer.model", Sizes().vocabulary)
    if arguments.start and not (arguments.folder / "state.pt").exists():
        begin_with(arguments.start, arguments.folder, arguments.start_stage)
    data = dict(np.load(arguments.bank))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    with own_stream(device):
        train(arguments, data, device, until)


def train(arguments, data, device, until):
    path = arguments.folder / "state.pt"
    first = torch.load(path, map_location="cpu", weights_only=False)["stage"] if path.exists() else 0
    limits = {int(stage): float(seconds) for stage, seconds in (text.split("=") for text in arguments.limit)}
    for number in range(first, len(STAGES)) if arguments.stage is None else [arguments.stage]:
        trainer = Trainer(number, STAGES[number], arguments.folder, data, device, arguments.seed, arguments.scale, arguments.eager,
                          limits.get(number))
        if not trainer.run(until, arguments.workers):
            print(f"stopped in stage {number}; the same command goes on")
            return


if __name__ == "__main__":
    main()
