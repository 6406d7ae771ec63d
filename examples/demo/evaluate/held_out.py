"""What the evaluation takes from the training's bank: the voices, sounds, backgrounds and glyphs that training never used."""
import pathlib
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "train"))
import world  # noqa: E402

EMOJI_FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
FONT_SIZE = 109  # the only one that this bitmap font has
BANK_SPRITE, BANK_GLYPH = 96, 92  # the bank's pictures of glyphs, and the longer side of a glyph in them
QUIET = 0.02  # of the peak: what counts as silence around a word


def glyph(character, size):
    """The emoji, its longer side `size` pixels."""
    font = ImageFont.truetype(EMOJI_FONT, FONT_SIZE)
    image = Image.new("RGBA", (160, 160))
    ImageDraw.Draw(image).text((10, 10), character, font=font, embedded_color=True)
    image = image.crop(image.getbbox())
    scale = size / max(image.size)
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.LANCZOS)


def premultiplied(pixels):
    return pixels[..., :3].astype(np.float32) * (pixels[..., 3:] / 255.0)


class Bank:
    def __init__(self, path):
        with np.load(path) as data:
            self.data = {name: data[name] for name in data.files}
        self.class_of = {name: number for number, name in enumerate(world.SEEN)}

    def backgrounds(self):
        """Pictures of 160x160 that training does not have."""
        return [Image.fromarray(pixels) for pixels in self.data["backgrounds"][self.data["background_held_out"]]]

    def waves(self, heard):
        """Numbers of the held-out recordings of HEARD[heard]; -1: of words that nobody asks for."""
        return np.flatnonzero((self.data["wave_class"] == heard) & self.data["wave_held_out"]).tolist()

    def wave(self, number):
        """16 kHz samples in [-1, 1] without the silence around them."""
        start, stop = self.data["wave_start"][number:number + 2]
        coded = self.data["waves"][start:stop].astype(np.float32) / 255 * 2 - 1
        samples = np.sign(coded) * (256 ** np.abs(coded) - 1) / 255
        loud = np.flatnonzero(np.abs(samples) > QUIET * np.abs(samples).max())
        return samples[loud[0]:loud[-1] + 1]

    def glyph_held_out(self, character, name=None):
        """Whether training never drew this emoji of class `name` (None: a distractor).

        The bank does not tell which emoji a picture shows, so the most similar picture of the class is taken.
        """
        canvas, image = Image.new("RGBA", (BANK_SPRITE, BANK_SPRITE)), glyph(character, BANK_GLYPH)
        canvas.paste(image, ((BANK_SPRITE - image.width) // 2, (BANK_SPRITE - image.height) // 2))
        candidates = np.flatnonzero(self.data["sprite_class"] == self.class_of.get(name, -1))
        if not len(candidates):
            return True
        distance = np.abs(premultiplied(self.data["sprites"][candidates]) - premultiplied(np.asarray(canvas)))
        return bool(self.data["sprite_held_out"][candidates[distance.mean((1, 2, 3)).argmin()]])
