"""Plans of clips: what is where and when, and what is heard when. Plain numbers, drawn by pictures.py
and sounds.py on the GPU; asking.py asks about them. All clips of a batch have the same number of frames and the same frame rate.
"""
import math
import random
from dataclasses import dataclass, field

import numpy as np

import world
from asking import JOINED, MUSIC, QUESTIONS, SEEN_NAMES, draw_questions

ASPECTS = [(16 / 9, 0.70), (4 / 3, 0.1), (1.0, 0.06), (9 / 16, 0.14)]
ANCHORS = [(x, y) for x in (-0.58, 0.0, 0.58) for y in (-0.4, 0.4)]
VARIANTS = 3  # of every sprite in strange colours and shapes, as further distractors (pictures.variants)
MADE_UP = 384  # more distractors: shapes without a name (made_up.py)
NOISE = -2  # class of a wave; -1: a word that nobody asks for


@dataclass
class Bank:
    """What the planner needs to know of the bank."""
    sprites: list      # of every class: sprite numbers
    distractors: list  # sprite numbers
    waves: list        # of every class: wave numbers
    other_words: list
    noises: list       # that are neither a word nor a sound of the world
    seconds: np.ndarray  # length of each wave
    backgrounds: list


@dataclass
class Thing:
    """A sprite's way through the clip."""
    sprite: int
    kind: int            # class, -1 = distractor
    ranges: list         # of seconds
    path: np.ndarray = None  # [frames, 4]: x, y (-1..1), height (share of the picture's), angle


@dataclass
class Stretch:
    kind: int
    start: float
    stop: float
    notes: list = field(default_factory=list)  # (wave, start in seconds, speed, gain)


@dataclass
class Clip:
    frames: int
    rate: float
    aspect: float
    things: list
    stretches: list
    audio: bool
    bed: bool                # chords below everything: music or not is for nobody to say, so it is not asked
    share: float = 1.0       # of a longer window that it begins; what is left of the window is not there
    questions: list = None  # (text, answer, ranges in shares, frame mask or None, seconds heard or None)
    highlights: str = ""

    @property
    def seconds(self):
        return self.frames / self.rate

    @property
    def window(self):
        return self.seconds / self.share


def bank_of(data, held_out=False):
    """The usable part of the arrays in `data` (bank.npz)."""
    def pick(kinds, held, count):
        rows = [[] for _ in range(count)]
        other = []
        for i, kind in enumerate(kinds):
            if bool(held[i]) == held_out or (held_out and kind >= 0 and not (held[kinds == kind]).any()):
                (rows[kind] if kind >= 0 else other).append(i)
        return rows, other

    sprites, distractors = pick(data["sprite_class"], data["sprite_held_out"], len(SEEN_NAMES))
    known = len(data["sprite_class"])
    distractors = distractors + [VARIANTS * i + v + known for i in distractors for v in range(VARIANTS)]
    distractors += range((1 + VARIANTS) * known, (1 + VARIANTS) * known + MADE_UP)
    waves, others = pick(data["wave_class"], data["wave_held_out"], len(world.HEARD))
    words, noises = ([i for i in others if data["wave_class"][i] == kind] for kind in (-1, NOISE))
    seconds = np.diff(data["wave_start"]) / 16000
    backgrounds = [i for i, held in enumerate(data["background_held_out"]) if bool(held) == held_out]
    return Bank(sprites, distractors, waves, words, noises, seconds, backgrounds)


def draw_ranges(rng, seconds, whole, level, shortest):
    """One to three ranges with gaps between them; whole = on whole seconds."""
    if rng.random() < 0.04:
        return [(0.0, seconds)]
    most = 1 if rng.random() > 0.55 * level or seconds < 4 * shortest else rng.choice((2, 2, 3, 3, 4))
    for count in range(most, 0, -1):
        lengths = [shortest + rng.random() ** 1.5 * max(0.0, min(0.6 * seconds, 20.0) - shortest) / count for _ in range(count)]
        room = seconds - sum(lengths) - shortest * (count - 1)
        if room < 0:
            continue
        cuts = sorted(rng.random() * room for _ in range(count))
        ranges, at = [], 0.0
        for i, (cut, length) in enumerate(zip(cuts, lengths)):
            start = cut + at
            ranges.append((start, start + length))
            at += length + shortest
        if whole:
            ranges = [(round(a), max(round(b), round(a) + 1)) for a, b in ranges]
            ranges = [(float(a), float(min(b, seconds))) for a, b in ranges if a < seconds - 0.5]
        if all(ranges[i + 1][0] - ranges[i][1] >= 0.9 for i in range(len(ranges) - 1)) and ranges:
            return ranges
    return [(0.0, seconds)]


def draw_path(rng, frames, rate, anchor, distractor):
    t = np.arange(frames) / rate
    drift, wobble = rng.uniform(0, 0.05), rng.uniform(0, 0.06)
    angle0, phase = rng.uniform(-0.35, 0.35), rng.uniform(0, 6.3)
    height = rng.uniform(0.22, 0.62) if not distractor else rng.uniform(0.15, 0.45)
    x = anchor[0] + rng.uniform(-0.16, 0.16) + wobble * np.sin(t * rng.uniform(0.3, 2) + phase) + drift * np.sin(t * 0.2 + phase)
    y = anchor[1] + rng.uniform(-0.16, 0.16) + wobble * np.cos(t * rng.uniform(0.3, 2) + phase)
    grow = 1 + rng.uniform(0, 0.12) * np.sin(t * rng.uniform(0.1, 1.0) + phase)
    angle = angle0 + rng.uniform(0, 0.12) * np.sin(t * rng.uniform(0.3, 2.5))
    return np.stack([x, y, height * grow, angle], 1).astype(np.float32)


def draw_things(rng, bank, frames, rate, level):
    seconds = frames / rate
    simple = rng.random() < 1 - 2 * level
    count = 1 if simple else rng.choice((0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4))
    others = 0 if simple else rng.choice((0, 0, 1, 1, 2, 3))
    anchors = rng.sample(ANCHORS, min(6, count + others))
    if count + others == 1 and rng.random() < 0.5:
        anchors = [(rng.uniform(-0.4, 0.4), rng.uniform(-0.25, 0.25))]
    whole = rng.random() < 0.5
    shortest = min(max(2 / rate, 1.0 if seconds < 12 else 2.0), seconds)
    things = []
    kinds = rng.sample(range(len(SEEN_NAMES)), count)
    for i, anchor in enumerate(anchors):
        kind = kinds[i] if i < count else -1
        sprite = rng.choice(bank.sprites[kind] if kind >= 0 else bank.distractors)
        ranges = draw_ranges(rng, seconds, whole, level, shortest)
        things.append(Thing(sprite, kind, ranges, draw_path(rng, frames, rate, anchor, kind < 0)))
    return things


def pauses(rng, word):
    """Draws pauses between notes, for a whole performance of one kind: hurried, slow, far apart, or of every length."""
    form = rng.random()
    if form < 0.45:
        return lambda: rng.uniform(0.06, 0.5) if word or rng.random() < 0.6 else 0.0
    if form < 0.6:
        return lambda: rng.uniform(0.4, 1.3)
    if form < 0.75:
        return lambda: rng.uniform(1.7, 9)

    def any_length():
        pause = 0.05 * 200 ** rng.random()
        return pause if not JOINED - 0.2 < pause < JOINED + 0.2 else 0.3
    return any_length


def hurried(rng, word):
    return lambda: rng.uniform(0.06, 0.5) if word or rng.random() < 0.6 else 0.0


def perform(rng, bank, kind, start, stop, pause, most=999):
    """The same word or sound again and again -> stretches; the truth of each is from its first onset to its last offset."""
    choice = bank.waves[kind] if kind >= 0 else bank.noises if bank.noises and rng.random() < 0.6 else bank.other_words
    wave, gain = rng.choice(choice), 10 ** (rng.uniform(-18, 0) / 20)
    speed = rng.uniform(0.82, 1.22)
    word = kind < len(world.WORDS)
    stretches, at = [], start
    for _ in range(most):
        length = bank.seconds[wave] / speed
        if stretches and at + length > stop:
            break
        if not stretches or at - stretches[-1].stop >= JOINED:
            stretches.append(Stretch(kind, at, at))
        stretches[-1].notes.append((wave, at, speed, gain))
        stretches[-1].stop = at + length
        at += length + pause()
        if not word and rng.random() < 0.15:
            wave = rng.choice(choice)
    return stretches


def fill_stretch(rng, bank, kind, start, stop):
    """One stretch without a longer rest."""
    return perform(rng, bank, kind, start, stop, hurried(rng, kind < len(world.WORDS)))[0]


def draw_sounds(rng, bank, seconds, level, bed):
    if rng.random() < 0.5 * level:
        return babble(rng, bank, seconds) + scattered(rng, bank, seconds, bed, rng.choice((1, 2, 2, 3, 3, 4)))
    return in_turn(rng, bank, seconds, level, bed)


def draw_kinds(rng, count, bed):
    """Different ones; as many sounds as words, though there are fewer of them, since sounds differ more."""
    words = rng.sample(range(len(world.WORDS)), len(world.WORDS))
    sounds = rng.sample([k for k in range(len(world.WORDS), len(world.HEARD)) if not (bed and k == MUSIC)], len(world.SOUNDS) - bed)
    return [(words if rng.random() < 0.5 else sounds).pop() for _ in range(count)]


def in_turn(rng, bank, seconds, level, bed):
    """One stretch after another."""
    simple = rng.random() < 1 - 2 * level
    count = 1 if simple else rng.choice((0, 0, 1, 1, 2, 2, 3, 4))
    stretches, at = [], rng.uniform(0, max(0.3, 0.35 * seconds))
    kinds = draw_kinds(rng, 3, bed)
    for i in range(count):
        kind = rng.choice(kinds) if rng.random() > 0.12 * level else -1
        length = rng.uniform(1.0, max(1.2, 0.3 * seconds))
        stretch = fill_stretch(rng, bank, kind, at, at + length)
        if stretch.stop > seconds:
            break
        stretches.append(stretch)
        same_next = 1.6 if seconds > 6 else 0.6
        at = stretch.stop + rng.uniform(same_next, max(same_next + 0.2, 0.25 * seconds))
    if stretches and not bed and rng.random() < 0.15 * level:
        stretches += music_under(rng, bank, stretches[0])
    return stretches


def scattered(rng, bank, seconds, bed, count):
    """Performances anywhere, of all rhythms; two may sound at once, but for two words."""
    found = []
    for kind in draw_kinds(rng, count, bed):
        kind = kind if rng.random() > 0.12 else -1
        start, word = rng.uniform(0, 0.7 * seconds), kind < len(world.WORDS)
        most = 1 if rng.random() < 0.15 else rng.choice((2, 3, 999, 999))
        stop = min(seconds, start + rng.uniform(1.0, max(1.5, 0.6 * seconds)))
        part = [s for s in perform(rng, bank, kind, start, stop, pauses(rng, word), most) if s.stop <= seconds]
        together = rng.random() < 0.4
        if all(not overlaps(s, other, 0.0 if together and not (word and other.kind < len(world.WORDS)) else 0.3) for s in part for other in found):
            found += part
    return found


def overlaps(first, second, apart):
    """Whether there is less than `apart` seconds between them; 0: they may overlap."""
    return apart > 0 and first.start - apart < second.stop and second.start - apart < first.stop


def babble(rng, bank, seconds):
    """Now and then: far voices that say what nobody asks for, all through the clip."""
    if rng.random() > 0.12:
        return []
    far, at = Stretch(-1, 0.0, seconds), rng.uniform(0, 1)
    gain = 10 ** (rng.uniform(-34, -22) / 20)
    while at < seconds - 1:
        far.notes.append((rng.choice(bank.other_words), at, rng.uniform(0.85, 1.2), gain * rng.uniform(0.5, 1)))
        at += rng.uniform(0.1, 1.0)
    return [far]


def music_under(rng, bank, stretch):
    if stretch.kind == MUSIC or stretch.kind >= len(world.WORDS):
        return []
    under = fill_stretch(rng, bank, MUSIC, stretch.start, stretch.stop)
    if under.stop > stretch.stop + 0.3:
        return []
    under.notes = [(w, t, s, g * 0.25) for w, t, s, g in under.notes]
    return [under]


def draw_clip(rng, bank, frames, rate, level, share=1.0, near=0.0, questions=QUESTIONS):
    aspect = rng.choices([a for a, _ in ASPECTS], [w for _, w in ASPECTS])[0] * rng.uniform(0.92, 1.08)
    bed = rng.random() < 0.3 * level
    clip = Clip(frames, rate, aspect, draw_things(rng, bank, frames, rate, level),
                draw_sounds(rng, bank, frames / rate, level, bed), rng.random() > 0.15, bed, share)
    draw_questions(rng, clip, level, near, questions)
    return clip


def draw_listening(rng, bank, seconds):
    """A clip that is only heard, and holds much."""
    bed = rng.random() < 0.25
    stretches = babble(rng, bank, seconds) + scattered(rng, bank, seconds, bed, rng.choice((2, 3, 4, 5, 6, 7)))
    if rng.random() < 0.15:
        stretches = in_turn(rng, bank, seconds, 1.0, bed)
    return Clip(round(seconds), 1.0, 1.0, [], stretches, True, bed)


def draw_batch(rng, bank, budget, most_clips, level, frames=None, rate=None, share=1.0, near=0.0, questions=QUESTIONS):
    """Clips of one length: frames log-uniform in 3..128, one or two a second."""
    frames = frames or round(math.exp(rng.uniform(math.log(3), math.log(128.99))))
    if not rate:
        rate = rng.choice((1.0, 2.0, 2.0)) if frames >= 6 else rng.choice((1.0, 2.0))
    count = max(2, min(most_clips, budget // frames))
    return [draw_clip(rng, bank, frames, rate, level, share, near, questions) for _ in range(count)]
