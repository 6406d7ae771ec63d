"""The pictures: glyphs that the model knows, otherwise put together than in training and in the first generator.

A glyph stands, bounces or circles in front of a picture that numpy paints; it has a shadow, some have a plate below them.
"""
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tools import world

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
SHAPES = {"16:9": (480, 270), "9:16": (270, 480), "4:3": (400, 300), "1:1": (320, 320)}


def trained_glyphs(name):
    """Of three glyphs or more training leaves the middle one out."""
    characters = world.emoji(name)
    return [c for i, c in enumerate(characters) if len(characters) < 3 or i != len(characters) // 2]


def glyph(character, side):
    image = Image.new("RGBA", (180, 180))
    ImageDraw.Draw(image).text((20, 20), character.replace("\ufe0f", ""), font=ImageFont.truetype(FONT, 109), embedded_color=True)
    image = image.crop(image.getbbox())
    scale = side / max(image.size)
    return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.BICUBIC)


PAINTS = {"A": ("plasma", "stripes", "vignette"), "B": ("rings", "weave", "blots"), "C": ("horizon", "tiles", "clouds"), "D": ("contours", "lamps", "bricks"),
          "E": ("rays", "cells", "chevrons")}


def painted(size, rng, half):
    """A background; each half has its own kinds."""
    w, h = size
    noise = np.random.default_rng(rng.getrandbits(32))
    y, x = np.mgrid[:h, :w] / max(w, h)
    a, b = (noise.uniform(20, 235, 3) for _ in range(2))
    kind = rng.choice(PAINTS[half])
    if kind == "plasma":
        v = 0.5 + 0.25 * (np.sin(9 * x * rng.uniform(0.5, 2)) + np.sin(7 * y * rng.uniform(0.5, 2) + 5 * x))
    elif kind == "stripes":
        v = ((x * math.cos(1) + y * rng.uniform(0, 2)) * rng.uniform(6, 20)) % 1 > 0.5
    elif kind == "vignette":
        v = np.clip(1 - 2 * ((x - 0.5 * w / max(w, h)) ** 2 + (y - 0.5 * h / max(w, h)) ** 2), 0, 1)
    elif kind == "rings":
        v = 0.5 + 0.5 * np.sin(rng.uniform(15, 50) * np.hypot(x - rng.random(), y - rng.random()))
    elif kind == "weave":
        n = rng.uniform(8, 25)
        v = 0.5 + 0.3 * np.sign(np.sin(n * 2 * x)) * np.sign(np.sin(n * 2 * y)) + 0.1 * noise.normal(size=x.shape)
    elif kind == "horizon":
        v = np.where(y > rng.uniform(0.25, 0.4), 0.3 + 0.2 * np.sin(40 / (y + 0.1)), 0.9 - y)
    elif kind == "tiles":
        n, a = rng.uniform(4, 12), rng.uniform(0, 1.5)
        u, w = x * math.cos(a) + y * math.sin(a), y * math.cos(a) - x * math.sin(a)
        v = 0.35 + 0.5 * np.random.default_rng(rng.getrandbits(32)).random((64, 64))[(n * u).astype(int) % 64, (n * w).astype(int) % 64]
    elif kind == "contours":
        height = sum(np.sin(noise.uniform(2, 9) * x + noise.uniform(2, 9) * y + noise.uniform(0, 6)) for _ in range(4))
        v = 0.3 + 0.08 * height + 0.35 * ((height * rng.uniform(1.5, 3)) % 1 < 0.15)
    elif kind == "lamps":
        v = 0.15 + sum(noise.uniform(0.1, 0.4) * (np.hypot(x - noise.random(), y - noise.random()) < noise.uniform(0.02, 0.1)) for _ in range(25))
    elif kind == "bricks":
        n, joint = rng.uniform(8, 18), rng.uniform(0.06, 0.14)
        row = np.floor(n * y)
        u = n * x / 2 + 0.5 * (row % 2)
        v = 0.45 + 0.25 * np.sin(37.7 * row + 91.3 * np.floor(u)) - 0.4 * (((n * y) % 1 < joint) | (u % 1 < joint / 2))
    elif kind == "rays":
        v = 0.5 + 0.35 * np.sin(rng.randint(5, 14) * np.arctan2(y - rng.uniform(0.1, 0.5), x - rng.uniform(0.2, 0.8)) + rng.uniform(0, 6))
    elif kind == "cells":
        centres = [(noise.random(), noise.random(), noise.uniform(0.1, 0.9)) for _ in range(rng.randint(12, 40))]
        near = np.argmin([np.hypot(x - p, y - q) for p, q, _ in centres], axis=0)
        v = np.array([shade for _, _, shade in centres])[near]
    elif kind == "chevrons":
        n, steep = rng.uniform(6, 16), rng.uniform(0.3, 1.2)
        v = 0.3 + 0.4 * ((n * (y + steep * np.abs((3 * x) % 1 - 0.5))) % 1 > rng.uniform(0.3, 0.6)) + 0.1 * y
    elif kind == "clouds":
        v = 0.5 + sum(np.sin(2 ** k * (5 * x * noise.uniform(0.6, 1.6) + 5 * y * noise.uniform(-1.6, 1.6)) + noise.uniform(0, 6)) / 2 ** (k + 1) for k in range(5)) / 2
    else:
        v = sum(np.exp(-((x - noise.random()) ** 2 + (y - noise.random()) ** 2) / noise.uniform(0.002, 0.03)) for _ in range(12))
    v = np.clip(np.asarray(v, float), 0, 1)[..., None]
    picture = Image.fromarray((a + v * (b - a) + noise.normal(0, rng.choice((0, 4, 10)), x.shape + (1,))).clip(0, 255).astype(np.uint8))
    return picture.filter(ImageFilter.GaussianBlur(rng.choice((0, 0, 1.5)))), kind


class Thing:
    def __init__(self, name, character, ranges, centre, size, rng):
        self.name, self.ranges = name, ranges
        side = rng.uniform(0.3, 0.6) * min(size)
        self.image = glyph(character, side)
        self.shadow = Image.new("RGBA", self.image.size, (0, 0, 0, 255))
        self.shadow.putalpha(self.image.getchannel("A").point(lambda v: v // 3))
        self.centre, self.motion = centre, rng.choice(("still", "bounce", "circle", "slide"))
        self.pace, self.phase, self.reach = rng.uniform(0.4, 2.2), rng.uniform(0, 6.28), 0.05 * min(size)
        self.plate = rng.random() < 0.2 and tuple(rng.randint(60, 250) for _ in range(3))

    def shown(self, t):
        return any(a - 1e-6 <= t < b - 1e-6 for a, b in self.ranges)

    def offset(self, t):
        angle = self.pace * t + self.phase
        return {"still": (0, 0), "bounce": (0, -self.reach * abs(math.sin(angle)) * 2), "slide": (2 * self.reach * math.sin(0.5 * angle), 0),
                "circle": (self.reach * math.cos(angle), self.reach * math.sin(angle))}[self.motion]

    def draw(self, picture, t):
        dx, dy = self.offset(t)
        x, y = round(self.centre[0] + dx - self.image.width / 2), round(self.centre[1] + dy - self.image.height / 2)
        if self.plate:
            ImageDraw.Draw(picture).rounded_rectangle((x - 8, y - 8, x + self.image.width + 8, y + self.image.height + 8), 10, self.plate)
        picture.paste(self.shadow, (x + 4, y + 5), self.shadow)
        picture.paste(self.image, (x, y), self.image)


def intervals(duration, rng, whole, fps):
    """One to three, two seconds or more long and apart."""
    count = min(rng.choices((1, 2, 3), (55, 30, 15))[0], max(1, int(duration // 6)))
    spare = duration - 2 * (2 * count - 1)
    cuts = sorted(rng.uniform(0, max(0, spare)) for _ in range(2 * count))
    flat = [cut + 2 * i for i, cut in enumerate(cuts)]
    flat = [float(round(v)) if whole else round(v * fps) / fps for v in flat]
    return [(a, min(b, duration)) for a, b in zip(flat[::2], flat[1::2])]


class Scene:
    def __init__(self, half, duration, fps, whole, rng):
        self.shape = rng.choices(list(SHAPES), (60, 15, 15, 10))[0]
        self.size = SHAPES[self.shape]
        changes = sorted(rng.uniform(1, duration - 1) for _ in range(rng.choice((0, 0, 1, 2)) if duration > 8 else 0))
        self.shots = list(zip([0, *changes], (painted(self.size, rng, half) for _ in range(len(changes) + 1))))
        w, h = self.size
        places = [(0.2 * w, 0.5 * h), (0.5 * w, 0.5 * h), (0.8 * w, 0.5 * h)]
        if w <= h:
            places = [(0.5 * w, 0.22 * h), (0.5 * w, 0.5 * h), (0.5 * w, 0.78 * h)]
        rng.shuffle(places)
        names = rng.sample(list(world.SEEN), rng.choice((1, 2, 2, 3)))

        def thing(name, characters):
            return Thing(name, rng.choice(characters), intervals(duration, rng, whole, fps), places.pop(), self.size, rng)

        self.things = [thing(name, trained_glyphs(name)) for name in names]
        if places and rng.random() < 0.3:
            self.things.append(thing(None, world.DISTRACTOR_EMOJI))
        self.banner = rng.random() < 0.2 and "".join(rng.choice("ABCDEFGHIKLMNOPRSTU ") for _ in range(18))

    def backgrounds(self):
        return "+".join(kind for _, (_, kind) in self.shots)

    def frame(self, t):
        picture = [p for start, (p, _) in self.shots if start <= t][-1].copy()
        for thing in self.things:
            if thing.shown(t):
                thing.draw(picture, t)
        if self.banner:
            draw = ImageDraw.Draw(picture)
            draw.rectangle((0, self.size[1] - 22, *self.size), fill=(20, 20, 60))
            draw.text((8, self.size[1] - 20), self.banner, fill="white", font=ImageFont.load_default(14))
        return picture.tobytes()
