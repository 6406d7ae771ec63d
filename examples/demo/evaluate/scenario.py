"""What happens in a clip, and when: chosen at random, before anything is drawn."""
import dataclasses
import math
import random

from held_out import world

# Size of the file's pictures, and of the part that shows something: the rest is black bars.
SHAPES = {
    "16:9": ((640, 360), (640, 360)),
    "9:16": ((360, 640), (360, 640)),
    "4:3": ((480, 360), (480, 360)),
    "letterbox": ((640, 360), (640, 268)),
    "pillarbox": ((640, 360), (480, 360)),
}
SHAPE_WEIGHTS = [50, 15, 15, 10, 10]
SHORTEST_S = 2.0  # of an interval, and of the gap between two


@dataclasses.dataclass
class Thing:
    name: str  # of world.SEEN; None for what nobody asks for
    character: str
    held_out: bool  # training never drew this emoji
    frames: list  # [(first, after the last)]
    anchor: tuple  # of its centre, as a share of the picture
    size: float  # its longer side, as a share of the height
    motion: random.Random


@dataclasses.dataclass
class Plan:
    duration: float
    frames: int
    fps: int
    shape: str
    whole_seconds: bool
    things: list
    options: dict

    def ranges(self, thing):
        return [(first / self.fps, stop / self.fps) for first, stop in thing.frames]


def random_duration(rng, whole):
    """3 to 120 s, mostly 8 to 64, all of them log-uniform."""
    low, high = rng.choices([(3, 8), (8, 64), (64, 120)], [12, 76, 12])[0]
    duration = math.exp(rng.uniform(math.log(low), math.log(high)))
    return max(3, round(duration)) if whole else duration


def random_intervals(rng, units, shortest):
    """One to three intervals in `units` steps of time; they and the gaps between them last `shortest` steps or more."""
    if rng.random() < 0.04:
        return [(0, units)]
    count = min(rng.choices([1, 2, 3], [50, 30, 20])[0], (units + shortest) // (2 * shortest))
    spare = units - (2 * count - 1) * shortest
    cuts = sorted(rng.randint(0, spare) for _ in range(2 * count))  # spread over the gaps and the intervals
    edges = [cut + shortest * place for place, cut in enumerate(cuts)]
    return list(zip(edges[::2], edges[1::2]))


def anchors(rng, shape):
    """Six places, far enough from each other that nothing hides another thing's centre."""
    width, height = SHAPES[shape][1]
    columns, rows = (3, 2) if width > height else (2, 3)
    places = [((c + 0.5) / columns, (r + 0.5) / rows) for c in range(columns) for r in range(rows)]
    places = [(0.5 + 0.88 * (x - 0.5), 0.5 + 0.88 * (y - 0.5)) for x, y in places]
    rng.shuffle(places)
    return places


def random_options(rng, duration):
    """What the camera and the cutter do. Probabilities, not weights: a clip may have several."""
    def chance(p):
        return rng.random() < p

    cuts = rng.choices([0, 1, 2, 3], [45, 25, 20, 10])[0] if duration >= 6 else 0
    return {
        "cuts": sorted(rng.uniform(1, duration - 1) for _ in range(cuts)),
        "cross_fade": rng.uniform(0.4, 1.5) if chance(0.4) else 0,
        "shake": rng.uniform(0.003, 0.012) if chance(0.3) else 0,  # as a share of the width
        "brightness": rng.choice(["drift", "steps"]) if chance(0.35) else None,
        "grain": rng.uniform(4, 12) if chance(0.25) else 0,
        "inset": chance(0.2),
        "moving_shapes": rng.randint(1, 4) if chance(0.3) else 0,
        "kilobits": round(math.exp(rng.uniform(math.log(150), math.log(1500)))),
    }


class Planner:
    def __init__(self, bank, classes=None, unseen=False):
        self.names = [name for name in world.SEEN if not classes or name in classes]
        self.unseen = unseen
        self.held_out = {(name, character): bank.glyph_held_out(character, name)
                         for name in self.names for character in world.emoji(name)}
        self.distractors = [(character, bank.glyph_held_out(character)) for character in world.DISTRACTOR_EMOJI]

    def glyphs(self, name, held_out):
        return [character for character in world.emoji(name) if self.held_out[name, character] == held_out]

    def pick_glyph(self, rng, name):
        """A held-out one only where unseen glyphs were asked for, and then in half of the cases."""
        rare = self.glyphs(name, True)
        if rare and (not self.glyphs(name, False) or self.unseen and rng.random() < 0.5):
            return rng.choice(rare), True
        return rng.choice(self.glyphs(name, False)), False

    def pick_names(self, rng):
        """One to three classes; for unseen glyphs, most of those that have one."""
        count, pool = rng.choices([1, 2, 3], [35, 40, 25])[0], self.names
        rare = [name for name in self.names if self.glyphs(name, True)]
        if self.unseen and len(rare) >= count and rng.random() < 0.6:
            pool = rare
        return rng.sample(pool, min(count, len(pool)))

    def things(self, rng, n_frames, fps, shape, whole_seconds):
        step = fps if whole_seconds else 1  # intervals are planned in whole seconds or in pictures
        shortest = round(SHORTEST_S * fps) // step
        chosen = [(name, *self.pick_glyph(rng, name)) for name in self.pick_names(rng)]
        chosen += [(None, *rng.choice(self.distractors)) for _ in range(rng.choices([0, 1, 2], [45, 35, 20])[0])]
        places = anchors(rng, shape)
        for name, character, held_out in chosen:
            frames = [(a * step, b * step) for a, b in random_intervals(rng, n_frames // step, shortest)]
            yield Thing(name, character, held_out, frames, places.pop(), rng.uniform(0.26, 0.58),
                        random.Random(rng.random()))

    def plan(self, rng, whole_seconds):
        duration = random_duration(rng, whole_seconds)
        fps = rng.choice([20, 24, 25]) if duration < 16 else rng.choice([12, 15])
        n_frames = round(duration * fps)
        shape = rng.choices(list(SHAPES), SHAPE_WEIGHTS)[0]
        things = list(self.things(rng, n_frames, fps, shape, whole_seconds))
        duration = round(n_frames / fps, 3)
        return Plan(duration, n_frames, fps, shape, whole_seconds, things, random_options(rng, duration))
