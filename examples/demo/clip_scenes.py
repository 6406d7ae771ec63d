"""The four places where clip.mp4 plays: a room, a park, a street at night and a stage.

A scene is painted once, a little larger than the picture and at twice its resolution; each picture is then that painting
with what moves on top, seen by a camera that slowly moves in. Coordinates are those of the 640x360 picture.
"""
import math
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 640, 360
MARGIN_X, MARGIN_Y = 32, 18  # painted on each side: room for the camera
SCALE = 2  # for smooth edges and motion in parts of a pixel
SIZE = (WIDTH + 2 * MARGIN_X) * SCALE, (HEIGHT + 2 * MARGIN_Y) * SCALE
LEFT, RIGHT, BOTTOM = -MARGIN_X, WIDTH + MARGIN_X, HEIGHT + MARGIN_Y


def place(x, y):
    return (x + MARGIN_X) * SCALE, (y + MARGIN_Y) * SCALE


def mask(shape, points, strength=1.0, blur=0.0, radius=0):
    """An area as an "L" picture: a "polygon", "ellipse", "rectangle" or "rounded_rectangle"; blur in pixels."""
    area = Image.new("L", SIZE)
    draw, where = ImageDraw.Draw(area), [place(*p) for p in points]
    extra = {"radius": radius * SCALE} if shape == "rounded_rectangle" else {}
    getattr(draw, shape)(where, fill=round(255 * strength), **extra)
    return area.filter(ImageFilter.GaussianBlur(blur * SCALE)) if blur else area


def gradient(*stops):
    """A picture whose colour changes from top to bottom: [(y, colour)]."""
    y = np.arange(SIZE[1]) / SCALE - MARGIN_Y
    column = np.stack([np.interp(y, [s[0] for s in stops], [s[1][c] for s in stops]) for c in range(3)], -1)
    return Image.fromarray(np.repeat(column[:, None].round().astype(np.uint8), SIZE[0], 1))


def glow(picture, x, y, radius, colour, strength):
    """Light around a point, added."""
    cx, cy = place(x, y)
    v, u = np.mgrid[:SIZE[1], :SIZE[0]].astype(np.float32)
    light = strength * np.exp(-((u - cx) ** 2 + (v - cy) ** 2) / (radius * SCALE) ** 2)
    lit = np.asarray(picture) + light[..., None] * np.array(colour, np.float32)
    return Image.fromarray(lit.clip(0, 255).astype(np.uint8))


def ridge(level, height, seed):
    """The outline of a range of hills down to the lower edge."""
    rng = random.Random(seed)
    waves = [(f, rng.uniform(0, 6.3)) for f in (0.006, 0.013, 0.027)]
    top = [(x, level - height * sum(math.sin(f * x + p) * 0.006 / f for f, p in waves)) for x in range(LEFT, RIGHT + 8, 8)]
    return [(LEFT, BOTTOM), *top, (RIGHT + 8, BOTTOM)]


def sprite(width, height, blobs, colour, blur):
    """A soft picture with alpha, of ellipses (x, y, rx, ry): a cloud."""
    alpha = Image.new("L", (width * SCALE, height * SCALE))
    for x, y, rx, ry in blobs:
        ImageDraw.Draw(alpha).ellipse([SCALE * v for v in (x - rx, y - ry, x + rx, y + ry)], fill=225)
    picture = Image.new("RGBA", alpha.size, colour)
    picture.putalpha(alpha.filter(ImageFilter.GaussianBlur(blur * SCALE)))
    return picture


CLOUD = sprite(190, 80, [(60, 45, 34, 17), (95, 36, 36, 23), (130, 46, 34, 16), (92, 51, 66, 12)], (255, 255, 255), 5)


def lay(picture, over, x, y):
    picture.paste(over, tuple(round(v) for v in place(x, y)), over)


class Room:
    """A wall in the morning sun, a large window onto hills, a table."""

    PANES = ((-60, 144), (152, 336))

    def __init__(self):
        wall = gradient((0, (250, 232, 205)), (360, (232, 196, 160)))
        wall.paste((255, 246, 222), mask=mask("polygon", [(400, 60), (590, 40), (660, 250), (460, 262)], 0.5, 14))
        wall.paste((196, 150, 112), mask=mask("rectangle", [(-60, -40), (352, 228)], 0.6, 9))  # the window's shadow
        wall.paste((252, 249, 242), mask=mask("rectangle", [(-60, -40), (346, 214)]))
        wall.paste((238, 232, 222), mask=mask("rounded_rectangle", [(-60, 212), (356, 224)], radius=4))
        self.pane = Image.new("L", SIZE)
        for left, right in self.PANES:
            self.pane.paste(255, mask=mask("rectangle", [(left, -40), (right, 206)]))
        self.sky = gradient((-20, (128, 190, 240)), (150, (226, 240, 246)))
        self.hills = [(ridge(158, 9, 4), (150, 196, 168)), (ridge(182, 8, 9), (112, 172, 124))]
        self.wall = self.with_table(self.with_lamp(wall, 574))

    @staticmethod
    def with_lamp(wall, x):
        wall = glow(wall, x, 84, 60, (255, 214, 150), 0.15)
        wall.paste((110, 80, 64), mask=mask("rectangle", [(x - 1, -18), (x + 1, 60)]))
        wall.paste((92, 140, 140), mask=mask("polygon", [(x - 12, 56), (x + 12, 56), (x + 36, 90), (x - 36, 90)], 1, 0.5))
        wall.paste((255, 238, 196), mask=mask("ellipse", [(x - 34, 86), (x + 34, 94)], 1, 0.6))
        return wall

    def with_table(self, wall):
        wall.paste((150, 104, 76), mask=mask("rectangle", [(LEFT, 252), (RIGHT, 262)], 0.5, 8))
        wood = gradient((262, (206, 146, 98)), (378, (168, 108, 70)))
        wall.paste(wood, mask=mask("rectangle", [(LEFT, 262), (RIGHT, BOTTOM)]))
        wall.paste((236, 186, 138), mask=mask("rectangle", [(LEFT, 262), (RIGHT, 265)]))
        rng = random.Random(3)
        for _ in range(46):  # grain
            x, y = rng.uniform(LEFT, RIGHT), rng.uniform(272, 372)
            wall.paste((140, 88, 56), mask=mask("ellipse", [(x, y), (x + rng.uniform(60, 200), y + 1.2)], 0.35, 0.6))
        wall.paste((255, 226, 180), mask=mask("polygon", [(440, 266), (680, 266), (720, 350), (510, 350)], 0.35, 12))
        return wall

    def paint(self, t):
        outside = self.sky.copy()
        for x, y, speed in ((-10, 28, 5), (170, 66, 3.5)):
            lay(outside, CLOUD, x + speed * t, y)
        for outline, colour in self.hills:
            ImageDraw.Draw(outside).polygon([place(*p) for p in outline], fill=colour)
        return Image.composite(outside, self.wall, self.pane)


class Park:
    """Hills under a warm sky, a lawn with a goal on it."""

    def __init__(self):
        sky = gradient((0, (112, 180, 236)), (130, (190, 222, 242)), (215, (253, 232, 204)))
        self.sky = glow(sky, 300, 190, 150, (255, 214, 150), 0.2)
        land, self.land_mask = Image.new("RGB", SIZE), Image.new("L", SIZE)
        for outline, colour in ((ridge(196, 14, 1), (158, 198, 200)), (ridge(216, 12, 6), (128, 184, 152)),
                                (ridge(240, 8, 12), (112, 178, 112))):
            area = mask("polygon", outline, 1, 0.4)
            land.paste(colour, mask=area)
            self.land_mask.paste(255, mask=area)
        lawn = mask("polygon", ridge(262, 3, 20), 1, 0.6)
        land.paste(gradient((250, (142, 200, 104)), (378, (92, 158, 72))), mask=lawn)
        for i in range(5):  # mown stripes
            stripe = [(150 * i - 60, 258), (150 * i + 10, 258), (210 * i - 140, BOTTOM), (210 * i - 250, BOTTOM)]
            land.paste((168, 216, 122), mask=mask("polygon", stripe, 0.28, 4))
        self.land = self.with_goal(land)

    def with_goal(self, land):
        land.paste((70, 120, 62), mask=mask("ellipse", [(436, 276), (604, 290)], 0.5, 5))
        posts = Image.new("L", SIZE)
        draw = ImageDraw.Draw(posts)
        for i in range(1, 14):
            draw.line([place(440 + 11 * i, 196), place(440 + 11 * i, 278)], fill=95, width=2)
        for i in range(1, 8):
            draw.line([place(440, 196 + 11 * i), place(594, 196 + 11 * i)], fill=95, width=2)
        draw.line([place(*p) for p in ((440, 282), (440, 194), (594, 194), (594, 282))], fill=255, width=10, joint="curve")
        land.paste((252, 252, 252), mask=posts)
        self.land_mask.paste(255, mask=posts)
        return land

    def paint(self, t):
        picture = self.sky.copy()
        for x, y, speed in ((40, 28, 7), (330, 60, 5), (520, 16, 6), (-60, 92, 4)):
            lay(picture, CLOUD, x + speed * (t - 13), y)
        picture.paste(self.land, mask=self.land_mask)
        return picture


class Street:
    """A town after sunset, a road and lamps. No moon: with two lamps it makes a face."""

    LAMPS = (96, 352, 608)

    def __init__(self):
        night = gradient((0, (34, 42, 96)), (150, (98, 84, 146)), (230, (216, 140, 150)))
        rng = random.Random(5)
        for _ in range(60):
            x, y, r = rng.uniform(LEFT, RIGHT), rng.uniform(-18, 150), rng.uniform(0.4, 0.9)
            night.paste((235, 235, 255), mask=mask("ellipse", [(x - r, y - r), (x + r, y + r)], rng.uniform(0.3, 0.8)))
        for colour, low, high, lit in (((64, 58, 112), 120, 190, 0.15), ((40, 38, 82), 150, 225, 0.3)):
            self.buildings(night, rng, colour, low, high, lit)
        night.paste((74, 70, 104), mask=mask("rectangle", [(LEFT, 252), (RIGHT, 268)]))
        road = gradient((268, (52, 50, 78)), (378, (34, 33, 54)))
        night.paste(road, mask=mask("rectangle", [(LEFT, 268), (RIGHT, BOTTOM)]))
        night.paste((112, 106, 138), mask=mask("rectangle", [(LEFT, 266), (RIGHT, 269)]))
        for x in range(LEFT, RIGHT, 92):
            night.paste((214, 206, 180), mask=mask("polygon", [(x, 330), (x + 46, 330), (x + 42, 335), (x - 5, 335)], 0.8))
        for x in self.LAMPS:
            night = self.with_lamp(night, x)
        self.night = night

    @staticmethod
    def buildings(night, rng, colour, low, high, lit):
        x = LEFT - 10
        while x < RIGHT:
            w, top = rng.uniform(46, 84), rng.uniform(low, high)
            night.paste(colour, mask=mask("rectangle", [(x, top), (x + w, 254)], 1, 0.4))
            for wx in np.arange(x + 8, x + w - 10, 13):
                for wy in np.arange(top + 10, 236, 16):
                    if rng.random() < lit:
                        night.paste((250, 206, 128), mask=mask("rectangle", [(wx, wy), (wx + 5, wy + 7)], rng.uniform(0.5, 0.95)))
            x += w + rng.choice([0, 0, 8])

    @staticmethod
    def with_lamp(night, x):
        night.paste((255, 214, 140), mask=mask("polygon", [(x - 8, 128), (x + 8, 128), (x + 62, 280), (x - 62, 280)], 0.16, 8))
        night.paste((26, 26, 48), mask=mask("rectangle", [(x - 2, 126), (x + 2, 258)]))
        night.paste((255, 240, 200), mask=mask("ellipse", [(x - 8, 118), (x + 8, 132)], 1, 1))
        return glow(night, x, 126, 34, (255, 200, 120), 0.55)

    def paint(self, t):
        return self.night.copy()


class Stage:
    """A red curtain, two spotlights that sway, a pedestal, and the heads of those who watch."""

    def __init__(self):
        x = np.arange(SIZE[0]) / SCALE
        folds = 0.72 + 0.2 * np.sin(x / 7.2 + 0.9 * np.sin(x / 31)) + 0.08 * np.sin(x / 3.1)
        y = np.linspace(0.62, 1.05, SIZE[1])
        cloth = folds[None, :, None] * y[:, None, None] * np.array((176, 38, 54))
        stage = Image.fromarray(cloth.clip(0, 255).astype(np.uint8))
        floor = gradient((252, (150, 98, 62)), (378, (84, 50, 34)))
        stage.paste((40, 12, 18), mask=mask("rectangle", [(LEFT, 246), (RIGHT, 258)], 0.6, 5))
        stage.paste(floor, mask=mask("rectangle", [(LEFT, 252), (RIGHT, BOTTOM)]))
        stage.paste((255, 226, 170), mask=mask("ellipse", [(200, 262), (440, 316)], 0.5, 12))
        stage.paste((50, 26, 22), mask=mask("ellipse", [(262, 284), (378, 306)], 0.6, 6))
        stage.paste(gradient((214, (214, 204, 192)), (300, (150, 136, 128))), mask=mask("rectangle", [(274, 216), (366, 296)]))
        stage.paste((232, 224, 212), mask=mask("rounded_rectangle", [(266, 208), (374, 222)], radius=4))
        self.stage = glow(stage, 320, 120, 120, (255, 200, 140), 0.2)
        rng = random.Random(8)
        self.heads = [(LEFT + 10 + 46 * i + rng.uniform(-6, 6), 354 + rng.uniform(-5, 5), rng.uniform(17, 21),
                       rng.uniform(0, 6.3)) for i in range(15)]

    def beam(self, x, to):
        return mask("polygon", [(x - 5, -20), (x + 5, -20), (to + 74, 300), (to - 74, 300)], 0.17, 7)

    def paint(self, t):
        picture = self.stage.copy()
        for side, x in ((1, 130), (-1, 510)):
            picture.paste((255, 238, 200), mask=self.beam(x, 320 + side * 26 * math.sin(0.5 * t)))
        draw = ImageDraw.Draw(picture)
        for x, y, r, phase in self.heads:
            y += 2.5 * math.sin(3.1 * t + phase)
            draw.ellipse([*place(x - r, y - r), *place(x + r, y + r)], fill=(30, 16, 24))
            draw.ellipse([*place(x - 1.7 * r, y + 0.8 * r), *place(x + 1.7 * r, y + 4 * r)], fill=(30, 16, 24))
        return picture


def camera(picture, share):
    """What is seen when `share` (0..1) of the scene's time has passed: it slowly moves in and to the right."""
    zoom = 1 - 0.045 * share
    w, h = zoom * WIDTH * SCALE, zoom * HEIGHT * SCALE
    x = (SIZE[0] - w) / 2 + MARGIN_X * SCALE * 0.5 * (share - 0.5)
    y = (SIZE[1] - h) / 2
    return picture.resize((WIDTH, HEIGHT), Image.BICUBIC, box=(x, y, x + w, y + h))
