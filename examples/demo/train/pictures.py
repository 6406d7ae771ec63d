"""Pictures of planned clips on the GPU: backgrounds, sprites over them, and what a camera and a codec do to them.

Drawn at 160x160 (the source squashed to a square), shrunk to the model's side with an antialiased bicubic as the
product does. Every random number comes from the given generator. All frames of a batch are drawn at once, in few and large
operations, and nothing waits for the device.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F

import plan
from device import send
from made_up import made_up_backgrounds, made_up_sprites

SIDE = 160
MADE_UP = 256  # backgrounds of a batch at most


class Dice:
    """Uniform random numbers on the device."""

    def __init__(self, generator, device):
        self.generator, self.device = generator, device

    def __call__(self, *shape, low=0.0, high=1.0):
        share = torch.rand(*shape, device=self.device, generator=self.generator)
        return share if (low, high) == (0.0, 1.0) else share.mul_(high - low).add_(low)

    def normal(self, *shape):
        return torch.randn(*shape, device=self.device, generator=self.generator)

    def integers(self, high, *shape):
        return torch.randint(high, shape, device=self.device, generator=self.generator)


class Gallery:
    """The bank's pictures on the device: sprites with premultiplied alpha, backgrounds; floats 0..1."""

    def __init__(self, data, backgrounds, device):
        rgba = torch.from_numpy(data["sprites"]).to(device).permute(0, 3, 1, 2).float() / 255
        premultiplied = torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], 1)
        dice = Dice(torch.Generator(device).manual_seed(1), device)
        self.sprites = torch.cat([premultiplied, variants(premultiplied), made_up_sprites(dice, plan.MADE_UP, rgba.shape[2])])
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


def affine_grid(x, y, scale_x, scale_y, angle, aspect):
    """Where each of SIDE x SIDE points lies in a picture centred at (x, y); all arguments [N]. A sum of a part that the
    column gives and one that the row gives, so only the sum is as large as the pictures."""
    line = (torch.arange(SIDE, device=x.device) + 0.5) / SIDE * 2 - 1
    cos, sin = angle.cos(), angle.sin()
    across = torch.stack([cos / scale_x, -sin / scale_y], -1) * aspect[:, None]
    down = torch.stack([sin / scale_x, cos / scale_y], -1)
    across, down = ((line - at[:, None])[..., None] * by[:, None] for at, by in ((x, across), (y, down)))
    return across[:, None] + down[:, :, None]


class Scene:
    """Everything random of a batch of clips, drawn once; `draw` makes the pictures. aspects [clips], rows of `sprite_rows`."""

    def __init__(self, frames, aspects, rows, gallery, dice):
        self.n, self.clips, self.gallery, self.dice = frames, len(aspects), gallery, dice
        self.device = dice.device
        self.aspect, self.rows = send(aspects, self.device), send(rows, self.device)
        self.slots = np.bincount(rows[:, 2].astype(int)).tolist()
        self.clip = torch.arange(self.clips * frames, device=self.device) // frames  # of each frame
        self.choose_backgrounds()
        self.choose_camera()

    def choose_backgrounds(self):
        """Up to two cuts a clip; pan and zoom in each shot."""
        d, b, n = self.dice, self.clips, self.n
        fixed = self.gallery.backgrounds
        made_up = min(2 * b, MADE_UP)
        self.pool = torch.cat([fixed, made_up_backgrounds(d, made_up)])
        shots = torch.where(d(b, 3) < 0.5, d.integers(len(fixed), b, 3), len(fixed) + d.integers(made_up, b, 3))
        cuts = (d(b, 2) * 2.2 * n).sort(1).values
        shot = (torch.arange(n, device=self.device)[None, :, None] >= cuts[:, None]).sum(2)
        self.background = shots.gather(1, shot)
        t = torch.arange(n, device=self.device)[None, :, None]
        self.choose_mixture(shots, shot, cuts, t)
        start, speed = d(b, 3, 3, low=-0.5, high=0.5), d(b, 3, 3, low=-0.02, high=0.02)
        pick = shot[:, :, None].expand(-1, -1, 3)
        self.turn = torch.where(d(b, 3) < 0.4, d(b, 3, high=6.3), torch.zeros(b, 3, device=self.device)).gather(1, shot)
        self.colours = d(b, 3).argsort(1)
        self.pan = start.gather(1, pick) + speed.gather(1, pick) * t * (d(b, 1, 1) < 0.6)

    def choose_mixture(self, shots, shot, cuts, t):
        """Some clips mix all along with another picture; some fade from shot to shot, for up to six frames."""
        d, b = self.dice, self.clips
        always = torch.where(d(b, 1) < 0.2, d(b, 1, high=0.7), torch.zeros(b, 1, device=self.device))
        length = d(b, 1, low=1, high=6)
        since = (t - cuts[:, None]).masked_fill(t < cuts[:, None], math.inf).amin(2)
        fade = (1 - since / length).clamp(0, 1) * (d(b, 1) < 0.35)
        before = shots.gather(1, (shot - 1).clamp(min=0))
        self.second = torch.where(fade > 0, before, self.background + 1)
        self.mixed = torch.where(fade > 0, fade, always)

    def choose_camera(self):
        d, b, n = self.dice, self.clips, self.n
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

    def draw(self):
        """-> [clips * frames, 3, SIDE, SIDE], 0..1."""
        picture = self.draw_background()
        self.draw_sprites(picture)
        picture = self.develop(picture)
        u = ((torch.arange(SIDE, device=self.device) + 0.5) / SIDE * 2 - 1).abs()
        across, down = (u < self.inner[self.clip, k, None] for k in (0, 1))
        return picture.mul_((across[:, None] & down[:, :, None])[:, None])

    def draw_background(self):
        pan, shake = self.pan.flatten(0, 1), self.shake.flatten(0, 1)
        zoom = (1.6 + pan[:, 2]).clamp(0.7, 2.4)
        turn = self.turn.flatten() + pan[:, 0] * 0.3
        grid = affine_grid(pan[:, 0] + shake[:, 0], pan[:, 1] + shake[:, 1], zoom, zoom, turn, torch.ones_like(zoom))
        planes, colours = self.pool.flatten(0, 1), self.colours[self.clip]
        first, second = (planes[k.view(-1, 1) % len(self.pool) * 3 + colours] for k in (self.background, self.second))
        texture = first.lerp_(second, self.mixed.view(-1, 1, 1, 1))
        return F.grid_sample(texture, grid, padding_mode="reflection", align_corners=False)

    def draw_sprites(self, picture):
        """All at once; then slot after slot over the pictures, which no picture has twice."""
        at, sprite = self.rows[:, :2].long().unbind(1)
        _, _, _, x, y, height, angle = self.rows.unbind(1)
        clip = at // self.n
        shake, inner = self.shake.flatten(0, 1)[at], self.inner[clip]
        size = height * inner.amin(1)
        grid = affine_grid(x * inner[:, 0] + shake[:, 0], y * inner[:, 1] + shake[:, 1], size, size, angle, self.aspect[clip])
        sprites = F.grid_sample(self.gallery.sprites[sprite], grid, align_corners=False)
        for at, sprite in zip(at.split(self.slots), sprites.split(self.slots)):
            picture.index_copy_(0, at, torch.addcmul(sprite[:, :3], picture[at], 1 - sprite[:, 3:]))

    def develop(self, x):
        """Colour, blur, codec blocks and noise, in place; [N, 3, SIDE, SIDE]."""
        def of(t):
            return t[self.clip].view(-1, t.shape[1], 1, 1)

        soft = F.interpolate(F.interpolate(x, scale_factor=0.4, mode="area"), (SIDE, SIDE), mode="bilinear")
        x.lerp_(soft, of(self.blurred * self.blur))  # some clips come from a smaller picture
        x = colour(x, of(self.saturation), of(self.contrast), self.brightness.view(-1, 1, 1, 1) + of(self.tint))
        x = quantise(x, of(self.quantiser), cosine_basis(self.device))
        return x.addcmul_(self.dice.normal(*x.shape), of(self.noise)).clamp_(0, 1)


def colour(x, saturation, contrast, light):
    """((grey + (x - grey) * saturation - 0.5) * contrast + 0.5 + light, in place and in fewer passes."""
    grey = x.mean(1, keepdim=True) * ((1 - saturation) * contrast)
    return torch.addcmul(0.5 - 0.5 * contrast + light, x, saturation * contrast).add_(grey).clamp_(0, 1)


def cosine_basis(device):
    k = torch.arange(8, device=device).float()
    basis = torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / 16) * 0.5
    basis[0] *= 0.5 ** 0.5
    return basis


def round_cosines(cosines, step):
    """In place; the higher, the coarser. A step of 0 changes nothing to speak of."""
    k = torch.arange(8, device=cosines.device).float()
    width = (step[..., None, None] * (0.3 + (k[:, None] + k[None]) / 5)).clamp(min=1e-5)
    return cosines.div_(width).round_().mul_(width)


def quantise(x, step, basis):
    """Rounds the cosines of 8x8 blocks as codecs do; x [N, 3, SIDE, SIDE]."""
    n = x.shape[0]
    blocks = x.view(n, 3, SIDE // 8, 8, SIDE // 8, 8).transpose(3, 4).reshape(-1, 64)
    both = torch.kron(basis, basis)  # the two-dimensional transform as one product
    cosines = (blocks @ both.t()).view(n, 3, SIDE // 8, SIDE // 8, 8, 8)
    blocks = round_cosines(cosines, step).view(-1, 64) @ both
    return blocks.view(n, 3, SIDE // 8, SIDE // 8, 8, 8).transpose(3, 4).reshape(n, 3, SIDE, SIDE)


def sprite_rows(clips):
    """float32 [N, 7]: frame of the batch, sprite, slot, x, y, height, angle; one a visible sprite and frame. Slot = how many
    others lie below it in this frame; the rows of a slot stand together."""
    rows = [np.zeros((0, 7), np.float32)]
    for c, clip in enumerate(clips):
        below = np.zeros(clip.frames)
        for thing in clip.things:
            for start, stop in thing.ranges:
                first, last = math.ceil(start * clip.rate - 1e-6), math.ceil(stop * clip.rate - 1e-6)
                f = np.arange(first, min(last, clip.frames))
                rows.append(np.column_stack([c * clip.frames + f, np.full(len(f), thing.sprite), below[f], thing.path[f]]))
                below[f] += 1
    rows = np.concatenate(rows).astype(np.float32)
    return rows[np.argsort(rows[:, 2], kind="stable")]


def shrinking(side, device):
    """[side, SIDE]: the antialiased bicubic along one axis, as a product. Torch's own kernel goes through the pictures of a
    batch one after another."""
    columns = torch.eye(SIDE, device=device)[None, None]
    return F.interpolate(columns, (side, SIDE), mode="bicubic", antialias=True, align_corners=False)[0, 0]


def render(frames, aspects, rows, gallery, dice, side=98):
    """-> [clips * frames, 3, side, side] in -1..1, rounded to 8 bits as the product's pixels are."""
    picture, shrink = Scene(frames, aspects, rows, gallery, dice).draw(), shrinking(side, dice.device)
    small = shrink @ (picture @ shrink.t())
    return small.clamp_(0, 1).mul_(255).round_().div_(127.5).sub_(1).half()
