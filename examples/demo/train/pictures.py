"""Pictures of planned clips on the GPU: backgrounds, sprites over them, and what a camera and a codec do to them.

Drawn at 160x160 (the source squashed to a square), shrunk to the model's side with an antialiased bicubic as the
product does. Every random number comes from the given generator.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F

SIDE = 160
CHUNK = 512  # frames drawn at once


class Dice:
    """Uniform random numbers on the device."""

    def __init__(self, generator, device):
        self.generator, self.device = generator, device

    def __call__(self, *shape, low=0.0, high=1.0):
        return torch.rand(*shape, device=self.device, generator=self.generator) * (high - low) + low

    def normal(self, *shape):
        return torch.randn(*shape, device=self.device, generator=self.generator)

    def integers(self, high, *shape):
        return torch.randint(high, shape, device=self.device, generator=self.generator)


class Gallery:
    """The bank's pictures on the device: sprites with premultiplied alpha, backgrounds; floats 0..1."""

    def __init__(self, data, backgrounds, device):
        rgba = torch.from_numpy(data["sprites"]).to(device).permute(0, 3, 1, 2).float() / 255
        premultiplied = torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], 1)
        self.sprites = torch.cat([premultiplied, variants(premultiplied)])
        chosen = torch.from_numpy(data["backgrounds"][backgrounds]).to(device).permute(0, 3, 1, 2).float() / 255
        self.backgrounds = F.interpolate(chosen, (128, 128), mode="area")


def variants(sprites):
    """Three things that nobody knows of every sprite [N, 4, h, w]: other colours on its head, its upper half over the
    next one's lower half, and its left half beside the right half of one further away. In the order that plan.py counts."""
    strange = sprites[:, [2, 0, 1, 3]].flip(2)
    other, third = sprites.roll(-1, 0), sprites.roll(-7, 0)
    half = sprites.shape[2] // 2
    stacked = torch.cat([sprites[:, [1, 2, 0, 3], :half], other[:, :, half:]], 2)
    beside = torch.cat([sprites[..., :half], third[:, [1, 0, 2, 3], :, half:]], 3)
    return torch.stack([strange, stacked, beside], 1).flatten(0, 1)


def made_up_backgrounds(dice, count):
    """Gradients, noise of four scales, gratings and boxes, mixed at random -> [count, 3, 128, 128]."""
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, 128, device=dice.device)] * 2, indexing="ij")
    a, b = dice(count, 3, 1, 1), dice(count, 3, 1, 1)
    turn = dice(count, 1, 1, 1, high=6.3)
    ramp = (x * turn.cos() + y * turn.sin()) * 0.5 + 0.5
    picture = a + (b - a) * ramp
    for scale, strength in ((3, 0.45), (8, 0.35), (24, 0.2), (64, 0.13)):
        noise = dice.normal(count, 3, scale, scale) * dice(count, 1, 1, 1).square() * strength
        picture = picture + F.interpolate(noise, (128, 128), mode="bicubic", align_corners=False)
    for _ in range(2):
        turn, pitch = dice(count, 1, 1, 1, high=6.3), dice(count, 1, 1, 1, low=3, high=40)
        wave = torch.sin((x * turn.cos() + y * turn.sin()) * pitch + dice(count, 1, 1, 1, high=6.3))
        sharp = torch.where(dice(count, 1, 1, 1) < 0.4, wave.sign(), wave)
        picture = picture + sharp * (dice(count, 3, 1, 1) - 0.5) * (dice(count, 1, 1, 1) < 0.3) * 0.5
    for _ in range(4):
        cx, cy = dice(count, 1, 1, 1, low=-1), dice(count, 1, 1, 1, low=-1)
        w, h = dice(count, 1, 1, 1, low=0.05, high=0.6), dice(count, 1, 1, 1, low=0.05, high=0.6)
        box = ((x - cx).abs() < w) & ((y - cy).abs() < h)
        oval = ((x - cx) / w).square() + ((y - cy) / h).square() < 1
        ring = oval & (((x - cx) / w).square() + ((y - cy) / h).square() > 0.7)
        kind = dice(count, 1, 1, 1)
        shape = torch.where(kind < 0.4, box, torch.where(kind < 0.75, oval, ring)) & (dice(count, 1, 1, 1) < 0.45)
        picture = torch.where(shape, picture * 0.3 + 0.7 * dice(count, 3, 1, 1), picture)
    return picture.clamp(0, 1)


def affine_grid(x, y, scale_x, scale_y, angle, aspect):
    """Where each of SIDE x SIDE points lies in a picture centred at (x, y); all arguments [N]."""
    line = (torch.arange(SIDE, device=x.device) + 0.5) / SIDE * 2 - 1
    v, u = torch.meshgrid(line, line, indexing="ij")
    dx = (u - x[:, None, None]) * aspect[:, None, None]
    dy = v - y[:, None, None]
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return torch.stack([(dx * cos + dy * sin) / scale_x[:, None, None], (dy * cos - dx * sin) / scale_y[:, None, None]], -1)


class Scene:
    """Everything random of a batch of clips, drawn once; `frames(first, last)` draws pictures of it."""

    def __init__(self, clips, rows, gallery, dice):
        self.clips, self.gallery, self.dice = clips, gallery, dice
        self.rows = torch.from_numpy(rows).to(dice.device)
        self.n = clips[0].frames
        self.device = dice.device
        self.aspect = torch.tensor([c.aspect for c in clips], device=self.device, dtype=torch.float32)
        self.choose_backgrounds()
        self.choose_camera()

    def choose_backgrounds(self):
        """Up to two cuts a clip; pan and zoom in each shot."""
        d, b, n = self.dice, len(self.clips), self.n
        fixed = self.gallery.backgrounds
        self.pool = torch.cat([fixed, made_up_backgrounds(d, 2 * b)])
        shots = torch.where(d(b, 3) < 0.5, d.integers(len(fixed), b, 3), len(fixed) + d.integers(2 * b, b, 3))
        cuts = (d(b, 2) * 2.2 * n).sort(1).values
        shot = (torch.arange(n, device=self.device)[None, :, None] >= cuts[:, None]).sum(2)
        self.background = shots.gather(1, shot)
        start, speed = d(b, 3, 3, low=-0.5, high=0.5), d(b, 3, 3, low=-0.02, high=0.02)
        t = torch.arange(n, device=self.device)[None, :, None]
        pick = shot[:, :, None].expand(-1, -1, 3)
        self.turn = torch.where(d(b, 3) < 0.4, d(b, 3, high=6.3), torch.zeros(b, 3, device=self.device)).gather(1, shot)
        self.colours = torch.stack([torch.randperm(3, device=self.device, generator=d.generator) for _ in range(b)])
        self.mixed = torch.where(d(b, 1) < 0.2, d(b, 1, high=0.7), torch.zeros(b, 1, device=self.device))
        self.pan = start.gather(1, pick) + speed.gather(1, pick) * t * (d(b, 1, 1) < 0.6)

    def choose_camera(self):
        d, b, n = self.dice, len(self.clips), self.n
        shaky = d(b, 1, 1).square() * 0.06 * (d(b, 1, 1) < 0.5)
        self.shake = d.normal(b, n, 2) * shaky
        self.brightness = d(b, 1, low=-0.15, high=0.15) + 0.08 * d.normal(b, n) * (d(b, 1) < 0.25)
        self.contrast = d(b, 1, low=0.6, high=1.3)
        self.tint = d(b, 3, low=-0.06, high=0.06)
        self.saturation = d(b, 1, low=0.4, high=1.4)
        self.noise = d(b, 1).square() * 0.09 * (d(b, 1) < 0.6)
        self.blur = d(b, 1, low=0.35, high=1.0)
        self.blurred = d(b, 1) < 0.35
        self.quantiser = d(b, 1).square() * 0.16 * (d(b, 1) < 0.6)
        bars = d(b, 1)
        none = torch.ones(b, 1, device=self.device)
        inner = d(b, 1, low=0.55, high=0.9)
        self.inner = torch.cat([torch.where(bars < 0.06, inner, none), torch.where((bars > 0.06) & (bars < 0.13), inner, none)], 1)

    def flat(self, tensor, first, last):
        """[clips, frames, ...] -> the wanted frames; [clips, ...] is the same for all frames of a clip."""
        return tensor.flatten(0, 1)[first:last]

    def frames(self, first, last):
        """Frames first..last-1 of all clips in a row -> [N, 3, SIDE, SIDE], 0..1."""
        index = torch.arange(first, last, device=self.device)
        clip = index // self.n
        picture = self.draw_background(first, last, clip)
        for layer in range(6):
            self.draw_layer(picture, first, last, layer)
        picture = self.develop(picture, first, last, clip)
        u = (torch.arange(SIDE, device=self.device) + 0.5) / SIDE * 2 - 1
        inside = (u.abs()[None, None] < self.inner[clip, 0][:, None, None]) & (u.abs()[None, :, None] < self.inner[clip, 1][:, None, None])
        return picture * inside[:, None]

    def draw_background(self, first, last, clip):
        pan, shake = self.flat(self.pan, first, last), self.flat(self.shake, first, last)
        zoom = (1.6 + pan[:, 2]).clamp(0.7, 2.4)
        turn = self.flat(self.turn, first, last) + pan[:, 0] * 0.3
        grid = affine_grid(pan[:, 0] + shake[:, 0], pan[:, 1] + shake[:, 1], zoom, zoom, turn, torch.ones_like(zoom))
        index = self.flat(self.background, first, last)
        share = self.mixed[clip].view(-1, 1, 1, 1)
        texture = self.pool[index] * (1 - share) + self.pool[(index + 1) % len(self.pool)] * share
        texture = texture.gather(1, self.colours[clip].view(-1, 3, 1, 1).expand(-1, -1, 128, 128))
        return F.grid_sample(texture, grid, padding_mode="reflection", align_corners=False)

    def draw_layer(self, picture, first, last, layer):
        r = self.rows
        r = r[(r[:, 0] >= first) & (r[:, 0] < last) & (r[:, 2] == layer)]
        if not len(r):
            return
        at = r[:, 0].long()
        clip, local = at // self.n, at - first
        shake, inner = self.shake.flatten(0, 1)[at], self.inner[clip]
        size = r[:, 5] * inner.amin(1)
        grid = affine_grid(r[:, 3] * inner[:, 0] + shake[:, 0], r[:, 4] * inner[:, 1] + shake[:, 1], size, size, r[:, 6], self.aspect[clip])
        sprite = F.grid_sample(self.gallery.sprites[r[:, 1].long()], grid, align_corners=False).float()
        picture[local] = blend(picture[local], sprite)

    def develop(self, x, first, last, clip):
        """Colour, blur, codec blocks and noise, as [N, 3, SIDE, SIDE]."""
        def of(t):
            return t[clip].view(-1, t.shape[1], 1, 1)

        light = self.flat(self.brightness, first, last).view(-1, 1, 1, 1)
        soft = F.interpolate(F.interpolate(x, scale_factor=0.4, mode="area"), (SIDE, SIDE), mode="bilinear")
        x = colour(x, soft, of(self.blurred * self.blur), of(self.saturation), of(self.contrast), light + of(self.tint))
        x = quantise(x, of(self.quantiser), cosine_basis(self.device))
        return grain(x, self.dice.normal(*x.shape), of(self.noise))


def colour(x, soft, blur, saturation, contrast, light):
    x = x + (soft - x) * blur  # some clips come from a smaller picture
    grey = x.mean(1, keepdim=True)
    return ((grey + (x - grey) * saturation - 0.5) * contrast + 0.5 + light).clamp(0, 1)


def cosine_basis(device):
    k = torch.arange(8, device=device).float()
    basis = torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / 16) * 0.5
    basis[0] *= 0.5 ** 0.5
    return basis


def round_cosines(cosines, step):
    """The higher, the coarser; a step of 0 changes nothing."""
    k = torch.arange(8, device=cosines.device).float()
    width = step[..., None, None] * (0.3 + (k[:, None] + k[None]) / 5)
    return torch.where(width > 1e-4, (cosines / width.clamp(min=1e-4)).round() * width, cosines)


def quantise(x, step, basis):
    """Rounds the cosines of 8x8 blocks as codecs do; x [N, 3, SIDE, SIDE]."""
    n = x.shape[0]
    blocks = x.view(n, 3, SIDE // 8, 8, SIDE // 8, 8).transpose(3, 4).reshape(-1, 64)
    both = torch.kron(basis, basis)  # the two-dimensional transform as one product
    cosines = (blocks @ both.t()).view(n, 3, SIDE // 8, SIDE // 8, 8, 8)
    blocks = round_cosines(cosines, step).view(-1, 64) @ both
    return blocks.view(n, 3, SIDE // 8, SIDE // 8, 8, 8).transpose(3, 4).reshape(n, 3, SIDE, SIDE)


def grain(x, noise, strength):
    return (x + noise * strength).clamp(0, 1)


def blend(picture, sprite):
    return picture * (1 - sprite[:, 3:]) + sprite[:, :3]


def fuse():
    """Compiles what is many small kernels otherwise; for a GPU."""
    here = globals()
    for name in ("colour", "round_cosines", "grain", "blend", "affine_grid"):
        here[name] = torch.compile(here[name], dynamic=True)


def sprite_rows(clips):
    """float32 [N, 7]: frame of the batch, sprite, layer, x, y, height, angle; one a visible sprite and frame."""
    rows = []
    for c, clip in enumerate(clips):
        for layer, thing in enumerate(clip.things):
            for start, stop in thing.ranges:
                first, last = math.ceil(start * clip.rate - 1e-6), math.ceil(stop * clip.rate - 1e-6)
                for f in range(first, min(last, clip.frames)):
                    rows.append((c * clip.frames + f, thing.sprite, layer, *thing.path[f]))
    return np.array(rows, np.float32).reshape(-1, 7)


def render(clips, rows, gallery, dice, side=98):
    """-> [clips * frames, 3, side, side] in -1..1, rounded to 8 bits as the product's pixels are."""
    scene = Scene(clips, rows, gallery, dice)
    parts = []
    total = len(clips) * scene.n
    for first in range(0, total, CHUNK):
        picture = scene.frames(first, min(total, first + CHUNK))
        small = F.interpolate(picture, (side, side), mode="bicubic", antialias=True, align_corners=False)
        parts.append(((small.clamp(0, 1) * 255).round() / 127.5 - 1).half())
    return torch.cat(parts)
