"""Batches for training: planned by worker processes on the CPU, drawn on the device.

Few shapes, so that a step can be recorded once and replayed (graphs.py): the clips' lengths come from a list of 16, which is
another one every 1500 steps, and texts are padded to multiples of 32 and 64.
"""
import math
import random
from dataclasses import dataclass

import numpy as np
import torch

import asking
import pictures
import plan
import sounds
import world
from device import send
from tokenizer import Tokenizer

IGNORED = -100
HEARD_SECONDS, HEARD_CLIPS = 30, 64  # of a batch to be heard alone
LENGTHS, PERIOD = 16, 1500  # lengths of clips at a time, steps until there are others


@dataclass
class Course:
    """What batches a stage of training gets."""
    seed: str
    steps: int
    frames: int = 1600          # of a batch, at most
    clips: int = 80             # of a batch, at most
    picture_share: float = 0.0  # of batches that are many clips of three frames
    sound_share: float = 0.0    # of batches that are clips to be heard alone
    window_share: float = 1.0   # a clip is this share or more of its window
    climb: float = 0.0          # share of the steps over which the level goes from 0 to 1
    near: float = 0.0           # share of the absent questions that are easily taken for what is there
    questions: int = asking.QUESTIONS  # about a clip
    held_out: bool = False


class Planned(torch.utils.data.Dataset):
    """Item = step. The same item whoever makes it."""

    def __init__(self, course, data, tokenizer):
        self.course, self.tokenizer_path = course, tokenizer
        self.bank = plan.bank_of(data, course.held_out)
        self.tokenizer = None

    def __len__(self):
        return self.course.steps

    def level(self, step):
        rise = self.course.climb * self.course.steps
        return 1.0 if rise <= 0 else min(1.0, step / rise)

    def shapes(self, step):
        """(frames, rate) of the batches around this step: frames log-uniform in 3..128, one or two a second."""
        rng = random.Random(f"{self.course.seed}-shapes-{step // PERIOD}")
        spread = [math.exp(math.log(3) + (i + rng.random()) / LENGTHS * math.log(128.99 / 3)) for i in range(LENGTHS)]
        return [(round(f), rng.choice((1.0, 2.0, 2.0) if f >= 6 else (1.0, 2.0))) for f in spread]

    def __getitem__(self, step):
        self.tokenizer = self.tokenizer or Tokenizer(self.tokenizer_path)
        course, rng = self.course, random.Random(f"{self.course.seed}-{step}")
        dice = rng.random()
        many, alone = dice < course.picture_share, dice > 1 - course.sound_share
        if alone:
            clips = [plan.draw_listening(rng, self.bank, HEARD_SECONDS) for _ in range(HEARD_CLIPS)]
        elif many:
            clips = plan.draw_batch(rng, self.bank, 3 * 512, 512, 1.0, 3, rng.choice((1.0, 2.0)))
        else:
            share = 1 - (1 - course.window_share) * max(0.0, rng.uniform(-0.3, 1)) if course.window_share < 1 else 1.0
            clips = plan.draw_batch(rng, self.bank, course.frames, course.clips, self.level(step), *rng.choice(self.shapes(step)), share,
                                    course.near, course.questions)
        item = {"frames": clips[0].frames, "seconds": clips[0].seconds, "seen": not alone, "heard": not many, "gpu_seed": rng.getrandbits(60),
                "aspects": np.array([c.aspect for c in clips], np.float32), "bed": np.array([c.bed for c in clips]), "truth": {}}
        if not alone:
            item |= {"rows": pictures.sprite_rows(clips), "truth": {"frames_true": frame_truth(clips)}}
        if not many:
            item["notes"] = sounds.note_rows(clips)
            item["truth"] |= sound_truth(clips)
        if not many and not alone:
            item["truth"] |= questions(clips, self.tokenizer) | highlights(clips, self.tokenizer)
            item["truth"]["share"] = np.array(clips[0].share, np.float32)
        return item


def frame_truth(clips):
    truth = np.zeros((len(clips), clips[0].frames, len(world.SEEN)), bool)
    for c, clip in enumerate(clips):
        for kind, (mask, _) in asking.seen_ranges(clip).items():
            truth[c, :, kind] = mask
    return truth


def audio_tokens(clip):
    return sounds.encoder_steps(clip.seconds) // 5


def token_mask(ranges, count):
    middle = (np.arange(count) + 0.5) * 0.1
    mask = np.zeros(count, bool)
    for a, b in ranges:
        mask |= (middle >= a) & (middle < b)
    return mask


def sound_truth(clips):
    count = audio_tokens(clips[0])
    truth = np.zeros((len(clips), count, len(world.HEARD)), bool)
    for c, clip in enumerate(clips):
        for kind, ranges in asking.heard_ranges(clip).items():
            truth[c, :, kind] = token_mask(ranges, count)
    known = np.ones((len(clips), 1, len(world.HEARD)), bool)
    known[[clip.bed for clip in clips], :, plan.MUSIC] = False
    return {"tokens_true": truth, "sound_known": known, "has_audio": np.array([clip.audio for clip in clips])}


def rows_of(pairs, tokenizer, multiple):
    """(question, answer) pairs -> ids, labels (the next token where it is answer), index of the prompt's last token.
    As wide as the next multiple of `multiple`."""
    prompts = [tokenizer.prompt(question) for question, _ in pairs]
    answers = [tokenizer.answer(answer) for _, answer in pairs]
    width = -(-max(len(p) + len(a) for p, a in zip(prompts, answers)) // multiple) * multiple
    ids, labels = np.zeros((len(pairs), width), np.int64), np.full((len(pairs), width), IGNORED, np.int64)
    for i, (p, a) in enumerate(zip(prompts, answers)):
        ids[i, :len(p) + len(a)] = p + a
        labels[i, len(p) - 1:len(p) + len(a) - 1] = a
    return ids, labels, np.array([len(p) - 1 for p in prompts])


def questions(clips, tokenizer):
    asked = [q for clip in clips for q in clip.questions]
    ids, labels, last = rows_of([(world.RETRIEVAL.format(query=q[0]), q[1]) for q in asked], tokenizer, 32)
    frames, tokens = clips[0].frames, audio_tokens(clips[0])
    nothing = np.zeros(frames, bool)
    times = np.full((len(asked), 4), np.nan, np.float32)
    for i, (_, _, ranges, _, _) in enumerate(asked):
        flat = [t for r in ranges[:2] for t in r]
        times[i, :len(flat)] = flat
    return {"ids": ids, "labels": labels, "last": last, "times": times,
            "ground_frames": np.stack([nothing if q[3] is None else q[3] for q in asked]),
            "ground_tokens": np.stack([token_mask(q[4], tokens) for q in asked])}


def highlights(clips, tokenizer):
    """One row a clip; a clip with too many events has no labels."""
    ids, labels, _ = rows_of([(world.HIGHLIGHT, clip.highlights or world.NOTHING) for clip in clips], tokenizer, 64)
    labels[[not clip.highlights for clip in clips]] = IGNORED
    return {"highlight_ids": ids, "highlight_labels": labels}


def unchanged(item):
    return item


class Studio:
    """Draws planned batches on the device."""

    def __init__(self, data, held_out, device):
        self.device = device
        self.gallery = pictures.Gallery(data, plan.bank_of(data, held_out).backgrounds, device)
        self.waves = sounds.Waves(data, device)

    def draw(self, item):
        """-> what a step needs: tensors on the device, and numbers that come with their shapes. Waits for nothing."""
        generator = torch.Generator(self.device).manual_seed(item["gpu_seed"])
        out = {k: send(v, self.device) for k, v in item["truth"].items()}
        out = {k: v.float() if v.dtype == torch.bool else v for k, v in out.items()}
        out["frames"] = item["frames"]
        if item["seen"]:
            out["pixels"] = pictures.render(item["frames"], item["aspects"], item["rows"], self.gallery, pictures.Dice(generator, self.device))
        if item["heard"]:
            clips, seconds = len(item["bed"]), item["seconds"]
            sound = self.waves.mix(clips, item["notes"], round(seconds * sounds.RATE), generator)
            sound = sounds.disturb(sound, generator, item["bed"])
            filters = sounds.random_filters(clips, generator, self.device)
            out["mel"] = sounds.log_mel(sound, filters, sounds.random_equaliser(clips, generator, self.device), generator)
            out["chunks"], out["steps"] = len(out["mel"]) // clips, sounds.encoder_steps(seconds)
        return out
