"""The pictures of the bank: emoji as sprites, and backgrounds from free photographs and drawn ones.

Licences. Noto Color Emoji: SIL Open Font License 1.1. The photographs are those that the wheel of scikit-image
carries; PHOTOGRAPHS says for each what its documentation there says. Left out: those without a word on their licence
(moon, page, motorcycle, logo) and those that show something of the world, which would then count as absent: chelsea (cat),
coffee, rocket, horse, clock_motion, hubble_deep_field (stars), parts of others, and of scikit-learn's both, flower.jpg
and china.jpg (a house among trees).
"""
import pathlib

import numpy as np
import skimage.data
from PIL import Image, ImageDraw, ImageFont

import world

EMOJI_FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
EMOJI_SIZE = 109  # the only size that this bitmap font has
UNASSIGNED = "\U0003FFFD"
SPRITE, LONGER_SIDE, SIZE = 96, 92, 160

SKIMAGE = pathlib.Path(skimage.data.__file__).parent
# file: licence, crops (left, top, side). Held out are whole photographs, as crops of one look alike.
PHOTOGRAPHS = {
    # NASA, "no known copyright restrictions, released into the public domain". Without face (smiling), shuttle
    # (also on her patch) and flag (stars).
    "astronaut.png": [(190, 200, 130), (290, 350, 160)],
    "brick.png": [(0, 0, 512), (60, 250, 240), (250, 20, 200)],  # CC0 (CC0Textures, Bricks25)
    "camera.png": [(352, 352, 160)],  # CC0 by Lav Varshney. Grass only, without camera and houses.
    "coins.png": [(0, 0, 300), (90, 60, 160)],  # Brooklyn Museum, "no known copyright restrictions"
    "grass.png": [(0, 0, 512), (100, 150, 220), (280, 280, 220)],  # CC0 (linolafett, DeviantArt)
    "gravel.png": [(0, 0, 512), (200, 100, 220)],  # CC0 (CC0Textures, Gravel04)
    "ihc.png": [(0, 0, 320), (200, 200, 300), (300, 0, 200)],  # CMMI, "no known copyright restrictions"
    "microaneurysms.png": [(0, 0, 102)],  # CC0 by Andreas Maier
    "retina.jpg": [(250, 300, 500), (750, 500, 420), (500, 900, 350)],  # CC0 (Mikael Haggstrom)
    "text.png": [(0, 0, 172), (240, 0, 172)],  # Wikipedia, Corner.png: public domain
}
HELD_OUT_PHOTOGRAPHS = {"coins", "ihc", "gravel"}


def glyph(character):
    """RGBA of the emoji, cut to what is drawn. Without U+FE0F: this font has colours only, and Pillow's simpler text
    layout would draw a box for it."""
    font = ImageFont.truetype(EMOJI_FONT, EMOJI_SIZE)
    image = Image.new("RGBA", (200, 200))
    ImageDraw.Draw(image).text((20, 20), character.replace("\ufe0f", ""), font=font, embedded_color=True)
    return image.crop(image.getbbox())


def is_drawn(character):
    """Neither empty nor the box that stands for what the font lacks."""
    image, missing = glyph(character), glyph(UNASSIGNED)
    return min(image.size) > 8 and image.tobytes() != missing.tobytes()


def fitted(image):
    """uint8 [96, 96, 4], the longer side LONGER_SIDE, in the middle."""
    scale = LONGER_SIDE / max(image.size)
    image = image.resize([max(round(side * scale), 1) for side in image.size], Image.Resampling.LANCZOS)
    out = Image.new("RGBA", (SPRITE, SPRITE))
    out.paste(image, ((SPRITE - image.width) // 2, (SPRITE - image.height) // 2))
    return np.asarray(out)


def sprites():
    """sprites uint8 [S, 96, 96, 4], sprite_class int16 [S] (place in world.SEEN, -1: distractor), sprite_held_out bool [S]

    Held out: of three glyphs or more the middle one, as the first is the most usual and the last the oddest.
    """
    rows = []
    for index, name in enumerate(world.SEEN):
        characters = world.emoji(name)
        middle = len(characters) // 2 if len(characters) > 2 else -1
        rows += [(character, index, place == middle) for place, character in enumerate(characters)]
    rows += [(character, -1, place % 5 == 4) for place, character in enumerate(world.DISTRACTOR_EMOJI)]
    missing = [character for character, _, _ in rows if not is_drawn(character)]
    if missing:
        raise RuntimeError(f"the font has no glyph for {' '.join(missing)}")
    return {"sprites": np.stack([fitted(glyph(character)) for character, _, _ in rows]),
            "sprite_class": np.array([index for _, index, _ in rows], np.int16),
            "sprite_held_out": np.array([held for _, _, held in rows], bool)}


def photographs(rng):
    """[(name, uint8 [160, 160, 3])]; of a grey photograph every crop but the first is coloured."""
    found = []
    for file, crops in PHOTOGRAPHS.items():
        image = Image.open(SKIMAGE / file)
        for place, (left, top, side) in enumerate(crops):
            part = image.crop((left, top, left + side, top + side)).resize((SIZE, SIZE), Image.Resampling.LANCZOS)
            pixels = np.asarray(part.convert("RGB"))
            if place and image.mode == "L":
                shades = np.linspace(0, 255, 3)[:, None] + rng.uniform(-60, 60, (3, 3))
                pixels = np.clip(painted(pixels[..., 0], shades), 0, 255).astype(np.uint8)
            found.append((f"{file[:-4]} {place}", pixels))
    return found


def colours(rng, count=3):
    """uint8 [count, 3], from dull to bright"""
    grey = rng.uniform(30, 225, (count, 1))
    return np.clip(grey + rng.uniform(-1, 1, (count, 3)) * rng.uniform(10, 110), 0, 255)


def painted(field, palette):
    """Field [H, W] of any span through a palette: [H, W, 3]."""
    field = np.asarray(field, float)
    field = (field - field.min()) / max(np.ptp(field), 1e-9) * (len(palette) - 1)
    return np.stack([np.interp(field, np.arange(len(palette)), palette[:, c]) for c in range(3)], -1)


def grid(angle=0.0, span=1.0):
    """x, y [320, 320] within +-span, turned: everything is drawn at twice the size, so that edges come out smooth."""
    x, y = np.meshgrid(*[np.linspace(-span, span, 2 * SIZE)] * 2)
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def escape_times(z, c, steps=60):
    """How long z -> z * z + c stays small, smoothed."""
    times = np.zeros(z.shape)
    for _ in range(steps):
        inside = np.abs(z) < 4
        z = np.where(inside, z * z + c, z)
        times += inside
    return np.sqrt(times + 1 - np.log2(np.maximum(np.log(np.abs(z) + 1), 1)))


def mandelbrot(rng):
    centre = [-0.745 + 0.11j, -0.16 + 1.035j, 0.28 + 0.01j, -1.25 + 0.05j, 0.37 + 0.35j][rng.integers(5)]
    x, y = grid(rng.uniform(0, 6), rng.choice([0.03, 0.1, 0.3, 1.2]))
    return painted(escape_times(np.zeros(x.shape, complex), x + 1j * y + centre), colours(rng, 6))


def julia(rng):
    x, y = grid(rng.uniform(0, 6), rng.uniform(0.5, 1.5))
    c = [-0.8 + 0.156j, -0.4 + 0.6j, 0.285 + 0.01j, -0.7269 + 0.1889j][rng.integers(4)]
    return painted(escape_times(x + 1j * y, np.full(x.shape, c)), colours(rng, 6))


def gradient(rng):
    x, y = grid(rng.uniform(0, 6))
    return painted(x if rng.random() < 0.5 else np.hypot(x - rng.uniform(-0.5, 0.5), y), colours(rng, rng.integers(2, 5)))


def stripes(rng):
    x, _ = grid(rng.choice([0, np.pi / 2, rng.uniform(0, 3)]))
    wave = np.sin(x * rng.uniform(10, 60))
    return painted(np.sign(wave) if rng.random() < 0.5 else wave, colours(rng, 2))


def checkers(rng):
    x, y = grid(rng.choice([0, rng.uniform(0, 1.5)]))
    count = rng.uniform(2, 8)
    return painted((np.floor(x * count) + np.floor(y * count)) % 2, colours(rng, 2))


def bars(rng):
    """Like a broadcaster's test pattern: bars, a strip of the same in other order, a ramp."""
    bright = rng.choice([191, 255])
    column = np.arange(2 * SIZE) * 7 // (2 * SIZE)
    codes = np.array([7, 6, 3, 2, 5, 4, 1])  # white yellow cyan green magenta red blue, bits R G B
    codes = np.roll(codes, rng.integers(7)) if rng.random() < 0.5 else codes
    row = lambda order: np.stack([(order[column] >> bit & 1) * bright for bit in (2, 1, 0)], -1)
    out = np.repeat(row(codes)[None], 2 * SIZE, 0).astype(float)
    out[210:240] = row(np.array([1, 0, 5, 0, 3, 0, 7]))
    out[240:] = np.linspace(0, 255, 2 * SIZE)[None, :, None] // 16 * 16
    return out if rng.random() < 0.6 else out[:, ::-1]


def bricks(rng):
    x, y = grid()
    rows = rng.uniform(3, 7)
    line = np.floor(y * rows)
    along, across = x * rows / 2 + 0.5 * (line % 2), y * rows
    mortar = ((along % 1) < 0.05) | ((across % 1) < 0.1)
    shade = rng.uniform(-25, 25, (64, 64))[np.floor(along).astype(int) % 64, line.astype(int) % 64]
    brick, joint = colours(rng, 2)
    return np.where(mortar[..., None], joint, brick + shade[..., None])


def dots(rng):
    x, y = grid(rng.uniform(0, 1.5))
    count, radius = rng.uniform(3, 9), rng.uniform(0.15, 0.4)
    return painted(np.hypot(x * count % 1 - 0.5, y * count % 1 - 0.5) < radius, colours(rng, 2))


def clouds(rng, steepness=None):
    """Noise whose spectrum falls like 1 / f to some power."""
    frequency = np.hypot(np.fft.fftfreq(2 * SIZE)[:, None], np.fft.rfftfreq(2 * SIZE)[None])
    frequency[0, 0] = 1
    white = np.fft.rfft2(rng.standard_normal((2 * SIZE, 2 * SIZE)))
    field = np.fft.irfft2(white / frequency ** (steepness or rng.uniform(1.3, 2.2)))
    return painted(np.clip(field / field.std(), -2, 2), colours(rng, 3))


def plasma(rng):
    x, y = grid(rng.uniform(0, 6), rng.uniform(2, 6))
    field = np.sin(x) + np.sin(y * 0.8 + 1) + np.sin((x + y) * 0.7) + np.sin(np.hypot(x + 1, y))
    return painted(np.sin(field * rng.uniform(1, 3)), colours(rng, 4))


def rings(rng):
    """Circles around a point, getting closer outwards or not: the shapes of wheels without being one."""
    x, y = grid()
    radius = np.hypot(x - rng.uniform(-0.6, 0.6), y - rng.uniform(-0.6, 0.6))
    return painted(np.sin(rng.uniform(15, 45) * radius ** rng.choice([1, 2])), colours(rng, 2))


def wood(rng):
    x, y = grid(rng.choice([0, np.pi / 2]))
    grain = clouds(rng, 2.0).mean(-1) / 60
    rings_of_tree = np.sin(8 * y + 2.5 * grain + 14 * np.hypot(0.25 * x + 0.3, y + rng.uniform(-1, 1)))
    fibre = np.repeat(rng.standard_normal((2 * SIZE, 1)), 2 * SIZE, 1)
    browns = np.array([[92, 56, 28], [150, 100, 58], [196, 148, 96]])
    return painted(rings_of_tree + 0.15 * fibre, browns * rng.uniform(0.6, 1.2))


def canvas(rng):
    paper, *inks = (tuple(int(v) for v in colour) for colour in colours(rng, 5))
    image = Image.new("RGB", (2 * SIZE, 2 * SIZE), paper)
    return image, ImageDraw.Draw(image), inks


def line_art(rng):
    """Knots, fans of spokes and slanting lines, all thin: an earlier model took such for bicycles. No petals, which
    would be drawings of flowers."""
    image, draw, inks = canvas(rng)
    t = np.linspace(0, 2 * np.pi, 600)
    for ink in inks[:3]:
        centre, radius, width = rng.uniform(60, 260, 2), rng.uniform(40, 150), int(rng.integers(1, 4))
        sort = rng.integers(3)
        if sort == 0:  # after Lissajous
            across, down = rng.choice([1, 2, 3, 4, 5, 7], 2, replace=False)
            curve = np.stack([np.sin(across * t), np.sin(down * t + rng.uniform(0.3, 1.2))], -1) * radius + centre
            draw.line([tuple(point) for point in curve], fill=ink, width=width)
        elif sort == 1:
            for angle in np.linspace(0, rng.uniform(1, 6), int(rng.integers(8, 40))):
                end = centre + 2 * radius * np.array([np.cos(angle), np.sin(angle)])
                draw.line([*centre, *end], fill=ink, width=width)
        else:
            for offset in range(-200, 2 * SIZE, int(rng.integers(12, 40))):
                draw.line([(offset, 0), (offset + centre[0], 2 * SIZE)], fill=ink, width=width)
    return np.asarray(image, float)


def scribble(rng):
    """Lines of something like handwriting."""
    image, draw, inks = canvas(rng)
    height = int(rng.integers(14, 34))
    for y in range(height, 2 * SIZE, int(height * 1.6)):
        steps = rng.normal(0, height / 3, (2 * SIZE // 4, 2)) * (0.5, 1)
        steps[:, 0] += np.arange(len(steps)) * 4
        steps[:, 1] = np.clip(steps[:, 1], -height / 2, height / 2) + y
        for word in np.array_split(steps, rng.integers(4, 9)):
            draw.line([tuple(point) for point in word[:-2]], fill=inks[0], width=2)
    return np.asarray(image, float)


def boxes(rng):
    image, draw, inks = canvas(rng)
    for _ in range(rng.integers(8, 25)):
        x, y = rng.uniform(-40, 2 * SIZE, 2)
        shape = draw.rectangle if rng.random() < 0.6 else draw.ellipse
        shape((x, y, x + rng.uniform(20, 130), y + rng.uniform(20, 130)), fill=inks[rng.integers(4)])
    return np.asarray(image, float)


DRAWN = {mandelbrot: 5, julia: 4, line_art: 5, gradient: 3, stripes: 3, checkers: 3, bars: 3, bricks: 2, dots: 2,
         clouds: 3, plasma: 2, rings: 3, wood: 2, scribble: 2, boxes: 2}


def drawn(rng):
    """[(name, uint8 [160, 160, 3])]"""
    found = []
    for recipe, count in DRAWN.items():
        for place in range(count):
            picture = recipe(rng)
            while picture.std((0, 1)).max() < 12:  # such as the inside of a fractal
                picture = recipe(rng)
            small = picture.reshape(SIZE, 2, SIZE, 2, 3).mean((1, 3))
            found.append((f"{recipe.__name__} {place}", np.clip(small, 0, 255).astype(np.uint8)))
    return found


def backgrounds(rng):
    """backgrounds uint8 [K, 160, 160, 3], background_held_out bool [K] (about a quarter), background_names"""
    rows = [(name, picture, name.split()[0] in HELD_OUT_PHOTOGRAPHS) for name, picture in photographs(rng)]
    rows += [(name, picture, place % 4 == 3) for place, (name, picture) in enumerate(drawn(rng))]
    return {"backgrounds": np.stack([picture for _, picture, _ in rows]),
            "background_held_out": np.array([held for _, _, held in rows], bool),
            "background_names": np.array([name for name, _, _ in rows])}
