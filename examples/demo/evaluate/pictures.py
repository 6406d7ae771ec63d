"""Draws the pictures of a planned clip, one at a time.

A frame is a background under a slow pan and zoom, the things that are visible just now, then what a camera adds. All
motion is a sum of sines with random phases, so that any frame can be drawn on its own.
"""
import bisect
import math
import random

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from backgrounds import color, random_background
from held_out import glyph
from scenario import SHAPES

MARGIN = 1.25  # a background is this much larger than the frame: room for pan, zoom and shake
N_GRAINS = 5


class Sway:
    """A value that wanders in [-1, 1], `pace` radians a second."""

    def __init__(self, rng, pace):
        self.waves = [(pace * rng.uniform(0.6, 1.4), rng.uniform(0, 2 * math.pi)) for _ in range(2)]

    def __call__(self, t):
        return sum(math.sin(w * t + p) for w, p in self.waves) / 2


class Shot:
    """A background between two cuts."""

    def __init__(self, size, rng, pictures):
        self.size = size
        larger = [round(MARGIN * side) for side in size]
        self.picture, self.name = random_background(*larger, rng, pictures)
        self.pan = Sway(rng, 0.25), Sway(rng, 0.25)
        self.zoom = Sway(rng, 0.2)

    def at(self, t, shake):
        scale = 0.9 + 0.06 * self.zoom(t)
        w, h = (scale * side for side in self.picture.size)
        room = self.picture.width - w, self.picture.height - h
        x, y = (min(max(0, free * (0.5 + 0.4 * pan(t)) - shift), free) for free, pan, shift in zip(room, self.pan, shake))
        return self.picture.resize(self.size, Image.BILINEAR, box=(x, y, x + w, y + h))


class Sprite:
    """A thing on its place: it drifts, wobbles and turns a little."""

    def __init__(self, thing, size):
        rng, (width, height) = thing.motion, size
        longer = thing.size * min(height, 1.1 * width)  # in a portrait it must fit the width as well
        self.frames, self.image = thing.frames, glyph(thing.character, longer)
        edge = 0.42 * longer  # hardly anything is cut off
        self.centre = [min(max(edge, share * side), side - edge) for share, side in zip(thing.anchor, size)]
        self.reach = 0.035 * width, 0.035 * height
        self.drift = Sway(rng, 0.35), Sway(rng, 0.35)
        self.wobble = Sway(rng, 2.5)
        self.turn, self.swing = rng.uniform(-16, 16), rng.uniform(2, 9)

    def visible(self, n):
        return any(first <= n < stop for first, stop in self.frames)

    def draw(self, picture, t, shake):
        turned = self.image.rotate(self.turn + self.swing * self.wobble(0.4 * t), Image.BICUBIC, expand=True)
        x, y = (c + r * (drift(t) + 0.2 * self.wobble(t)) + s
                for c, r, drift, s in zip(self.centre, self.reach, self.drift, shake))
        picture.paste(turned, (round(x - turned.width / 2), round(y - turned.height / 2)), turned)


class Inset:
    """A picture in the picture, behind a thing."""

    def __init__(self, sprite, rng, pictures):
        side = round(1.35 * max(sprite.image.size))
        self.shot = Shot((side, round(side * rng.uniform(0.75, 1))), rng, pictures)
        self.sprite = sprite

    def draw(self, picture, t):
        view = self.shot.at(t, (0, 0))
        framed = Image.new("RGB", (view.width + 6, view.height + 6), (235, 235, 235))
        framed.paste(view, (3, 3))
        x, y = self.sprite.centre
        picture.paste(framed, (round(x - framed.width / 2), round(y - framed.height / 2)))


class MovingShape:
    """Something plain that crosses the picture: a car's shadow, a passer-by."""

    def __init__(self, size, rng):
        self.size, self.color, self.round = size, color(rng), rng.random() < 0.5
        self.w, self.h = rng.uniform(0.05, 0.2) * size[0], rng.uniform(0.05, 0.3) * size[1]
        self.path = Sway(rng, rng.uniform(0.3, 1)), Sway(rng, rng.uniform(0.1, 0.5))

    def draw(self, picture, t):
        x, y = (side * (0.5 + 0.6 * path(t)) for side, path in zip(self.size, self.path))
        box = (x - self.w / 2, y - self.h / 2, x + self.w / 2, y + self.h / 2)
        draw = ImageDraw.Draw(picture)
        (draw.ellipse if self.round else draw.rectangle)(box, fill=self.color)


class Exposure:
    """Brightness over time, as a table of 256 values."""

    def __init__(self, kind, duration, rng):
        self.kind, self.drift = kind, Sway(rng, 0.5)
        self.times = sorted(rng.uniform(0, duration) for _ in range(rng.randint(1, 4)))
        self.gains = [rng.uniform(0.65, 1.25) for _ in range(5)]

    def apply(self, picture, t):
        if not self.kind:
            return picture
        gain = 1 + 0.22 * self.drift(t) if self.kind == "drift" else self.gains[bisect.bisect(self.times, t)]
        return picture.point([min(255, round(gain * value)) for value in range(256)] * 3)


class Camera:
    """Shake before drawing; exposure and grain after it."""

    def __init__(self, plan, size, rng):
        self.reach = plan.options["shake"] * size[0]
        self.shaking = Sway(rng, 7), Sway(rng, 6)
        self.exposure = Exposure(plan.options["brightness"], plan.duration, rng)
        noise = np.random.default_rng(rng.getrandbits(32))
        strength = plan.options["grain"]
        grains = (128 + noise.normal(0, strength, (size[1], size[0], 3)) for _ in range(N_GRAINS if strength else 0))
        self.grains = [Image.fromarray(grain.clip(0, 255).astype(np.uint8)) for grain in grains]

    def shake(self, t):
        return tuple(self.reach * sway(t) for sway in self.shaking)

    def develop(self, picture, n, t):
        picture = self.exposure.apply(picture, t)
        if self.grains:
            picture = ImageChops.add(picture, self.grains[n % N_GRAINS], 1, -128)
        return picture


class Painter:
    def __init__(self, plan, rng, pictures):
        self.plan, options = plan, plan.options
        self.full, self.inner = SHAPES[plan.shape]
        self.shots = [Shot(self.inner, rng, pictures) for _ in range(len(options["cuts"]) + 1)]
        self.sprites = [Sprite(thing, self.inner) for thing in plan.things]
        self.insets = [Inset(rng.choice(self.sprites), rng, pictures)] if options["inset"] else []
        self.shapes = [MovingShape(self.inner, rng) for _ in range(options["moving_shapes"])]
        self.camera = Camera(plan, self.inner, random.Random(rng.random()))

    def background_names(self):
        return "+".join(shot.name for shot in self.shots)

    def background(self, t, shake):
        """The shot of this moment; for a while after a cut, a mixture with the one before."""
        cuts, fade = self.plan.options["cuts"], self.plan.options["cross_fade"]
        number = bisect.bisect(cuts, t)
        picture = self.shots[number].at(t, shake)
        if number and t - cuts[number - 1] < fade:
            before = self.shots[number - 1].at(t, shake)
            picture = Image.blend(before, picture, (t - cuts[number - 1]) / fade)
        return picture

    def frame(self, n):
        """Picture n as RGB bytes."""
        t = n / self.plan.fps
        shake = self.camera.shake(t)
        picture = self.background(t, shake)
        for extra in [*self.shapes, *self.insets]:
            extra.draw(picture, t)
        for sprite in self.sprites:
            if sprite.visible(n):
                sprite.draw(picture, t, shake)
        return self.with_bars(self.camera.develop(picture, n, t)).tobytes()

    def with_bars(self, picture):
        if self.inner == self.full:
            return picture
        whole = Image.new("RGB", self.full)
        whole.paste(picture, tuple((a - b) // 2 for a, b in zip(self.full, self.inner)))
        return whole
