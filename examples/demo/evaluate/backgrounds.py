"""Backgrounds that training does not have: rooms, hills, roads, pages, bricks ... each a still picture of any size.

None of them shows a thing that is asked for: no houses, books or trees. Every function takes
(width, height, rng) and returns an RGB image; `random_background` picks one.
"""
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps


def color(rng, low=20, high=235):
    return tuple(rng.randint(low, high) for _ in range(3))


def near(rng, base, spread):
    return tuple(min(255, max(0, c + rng.randint(-spread, spread))) for c in base)


def fractal(width, height, rng, octaves=6):
    """Clouds in [0, 1]: noise of ever finer grain, ever weaker."""
    noise = np.random.default_rng(rng.getrandbits(32))
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = noise.random((3 * 2 ** octave, 4 * 2 ** octave), np.float32)
        total += np.asarray(Image.fromarray(cells).resize((width, height), Image.BICUBIC)) / 2 ** octave
    return (total - total.min()) / (total.max() - total.min())


def shaded(values, dark, bright):
    """Values in [0, 1] as colours between two."""
    dark, bright = np.array(dark, np.float32), np.array(bright, np.float32)
    return Image.fromarray((dark + values[..., None] * (bright - dark)).clip(0, 255).astype(np.uint8))


def ramp(width, height, top, bottom):
    return shaded(np.repeat(np.linspace(0, 1, height, dtype=np.float32)[:, None], width, 1), top, bottom)


def hills(width, height, rng):
    picture = ramp(width, height, near(rng, (110, 160, 220), 40), near(rng, (230, 220, 210), 25))
    draw, base = ImageDraw.Draw(picture), near(rng, (60, 110, 60), 45)
    for layer in range(rng.randint(2, 4)):
        level, waves = height * (0.45 + 0.16 * layer), [(rng.uniform(1, 9), rng.uniform(0, 6)) for _ in range(4)]
        ridge = [(x, level - height * 0.16 * sum(math.sin(f * x / width * 3 + p) / f for f, p in waves))
                 for x in range(0, width + 8, 8)]
        draw.polygon([(0, height), *ridge, (width, height)], fill=tuple(c * (5 - layer) // 5 for c in base))
    return picture


def road(width, height, rng):
    """An empty road that runs to the horizon."""
    horizon, middle = height * rng.uniform(0.35, 0.55), width * rng.uniform(0.3, 0.7)
    picture = ramp(width, height, near(rng, (150, 180, 210), 40), near(rng, (225, 215, 200), 30))
    draw, land = ImageDraw.Draw(picture), near(rng, (130, 120, 80), 45)
    draw.rectangle((0, horizon, width, height), fill=land)
    edges = [(middle - 6, horizon), (middle + 6, horizon), (width * 1.1, height), (-width * 0.1, height)]
    draw.polygon(edges, fill=(90, 90, 95))
    for close in [k / 12 for k in range(1, 12, 2)]:  # lane marks, wider where they are closer
        y, longer = horizon + (height - horizon) * close ** 2, (height - horizon) * 0.12 * close
        x = middle + (width / 2 - middle) * close ** 2
        draw.rectangle((x - 8 * close, y, x + 8 * close, y + longer), fill=(225, 225, 215))
    return picture


def room(width, height, rng):
    wall, wood = color(rng, 120, 230), near(rng, (140, 95, 60), 30)
    picture = Image.new("RGB", (width, height), wall)
    grain = Image.fromarray(fractal(width, 64, rng)).resize((width, height), Image.BICUBIC, box=(0, 0, width / 8, 64))
    grain = np.asarray(grain)
    floor = shaded(grain, [c * 0.7 for c in wood], [min(255, c * 1.3) for c in wood])
    edge = int(height * rng.uniform(0.6, 0.75))
    picture.paste(floor.crop((0, edge, width, height)), (0, edge))
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.randint(2, 5)):  # shelves, frames, a wardrobe
        x, y, w, h = rng.uniform(0, width), rng.uniform(0, edge * 0.7), rng.uniform(40, 180), rng.uniform(30, 150)
        box = (x, y, x + w, min(edge, y + h))
        draw.rectangle(box, fill=color(rng), outline=near(rng, wood, 20), width=rng.randint(2, 8))
    return picture.filter(ImageFilter.GaussianBlur(rng.choice([0, 0.8, 2])))


def page(width, height, rng):
    """A document or a slide."""
    paper = near(rng, (235, 235, 230), 18) if rng.random() < 0.7 else color(rng, 10, 60)
    ink = tuple(235 - c for c in paper)
    picture = Image.new("RGB", (width, height), paper)
    draw, y, size = ImageDraw.Draw(picture), 20, rng.randint(14, 26)
    font, letters = ImageFont.load_default(size), "abcdefghilmnoprstuvw    "
    while y < height - 20:
        line = "".join(rng.choice(letters) for _ in range(rng.randint(width // size // 2, 2 * width // size)))
        draw.text((30, y), line, fill=tuple(max(0, c) for c in ink), font=font)
        y += int(size * rng.choice([1.4, 1.4, 2.2]))
    return picture


def bricks(width, height, rng):
    mortar, base = near(rng, (170, 165, 155), 25), color(rng, 70, 180)
    picture = Image.new("RGB", (width, height), mortar)
    draw, w, h = ImageDraw.Draw(picture), rng.randint(40, 90), rng.randint(18, 40)
    for row in range(height // h + 1):
        for column in range(-1, width // w + 1):
            x = column * w + (row % 2) * w // 2
            draw.rectangle((x + 2, row * h + 2, x + w - 2, row * h + h - 2), fill=near(rng, base, 18))
    return picture


def bokeh(width, height, rng):
    picture = ramp(width, height, color(rng, 5, 60), color(rng, 20, 90))
    for _ in range(rng.randint(15, 40)):
        r, x, y = rng.uniform(8, 45), rng.uniform(0, width), rng.uniform(0, height)
        light = Image.new("L", picture.size)
        ImageDraw.Draw(light).ellipse((x - r, y - r, x + r, y + r), fill=rng.randint(50, 160))
        picture.paste(color(rng, 120, 255), mask=light)
    return picture.filter(ImageFilter.GaussianBlur(3))


def marble(width, height, rng):
    x = np.linspace(0, rng.uniform(4, 14), width, dtype=np.float32)[None]
    veins = 0.5 + 0.5 * np.sin(x + rng.uniform(5, 14) * fractal(width, height, rng))
    return shaded(veins ** 2, color(rng), color(rng))


def clouds(width, height, rng):
    return shaded(fractal(width, height, rng) ** 1.5, near(rng, (80, 130, 200), 40), near(rng, (240, 240, 240), 15))


def confetti(width, height, rng):
    picture, base, spread = Image.new("RGB", (width, height), color(rng, 20, 80)), color(rng), rng.randint(20, 90)
    draw = ImageDraw.Draw(picture)
    for _ in range(900):
        x, y, r, turn = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(5, 22), rng.uniform(0, 3.2)
        dx, dy = r * math.cos(turn), r * math.sin(turn)
        draw.polygon([(x - dx, y - dy), (x + dy / 3, y - dx / 3), (x + dx, y + dy), (x - dy / 3, y + dx / 3)],
                     fill=near(rng, base, spread))
    return picture.filter(ImageFilter.GaussianBlur(rng.choice([0, 1.5, 4])))


def tiles(width, height, rng):
    """Cells around random points, as in stained glass."""
    points = np.array([(rng.uniform(0, width), rng.uniform(0, height)) for _ in range(rng.randint(15, 60))], np.float32)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    nearest = np.full((height, width), 1e12, np.float32)
    cell = np.zeros((height, width), np.int64)
    for number, (px, py) in enumerate(points):
        distance = (x - px) ** 2 + (y - py) ** 2
        cell[distance < nearest] = number
        nearest = np.minimum(nearest, distance)
    base, spread = color(rng, 60, 190), rng.randint(20, 80)
    return Image.fromarray(np.array([near(rng, base, spread) for _ in points], np.uint8)[cell])


GENERATED = [hills, road, room, page, bricks, bokeh, marble, clouds, confetti, tiles]


def random_background(width, height, rng, pictures):
    """One of the bank's held-out `pictures`, or a generated one; and its name."""
    if pictures and rng.random() < 0.45:
        return ImageOps.fit(rng.choice(pictures), (width, height), Image.BICUBIC), "bank"
    make = rng.choice(GENERATED)
    return make(width, height, rng), make.__name__
