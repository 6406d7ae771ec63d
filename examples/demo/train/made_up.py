"""Pictures of nothing that has a name: backgrounds and shapes, mixed at random on the device. `dice` is pictures.Dice."""
import torch
import torch.nn.functional as F


def made_up_sprites(dice, count, side):
    """Things without a name: blobs, discs and windows, plain or with a texture -> [count, 4, side, side], premultiplied."""
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, side, device=dice.device)] * 2, indexing="ij")
    turn, reach = torch.atan2(y, x), (x.square() + y.square()).sqrt()
    edge = dice(count, 1, 1, low=0.5, high=0.9)
    for k in (2, 3, 4):  # no more: a star and a flower have names
        edge = edge + (turn * k + dice(count, 1, 1, high=6.3)).cos() * dice(count, 1, 1, high=0.3 / k)
    w, h = dice(count, 1, 1, low=0.35), dice(count, 1, 1, low=0.35)
    window = (x.abs() < w) & (y.abs() < h)
    shape = torch.where(dice(count, 1, 1) < 0.45, window, reach < edge)
    texture = F.interpolate(made_up_backgrounds(dice, count), (side, side), mode="area")
    texture = torch.where(dice(count, 1, 1, 1) < 0.4, dice(count, 3, 1, 1), texture)
    alpha = shape[:, None] * torch.where(dice(count, 1, 1, 1) < 0.8, 1.0, dice(count, 1, 1, 1, low=0.3))
    return torch.cat([texture * alpha, alpha], 1)


def made_up_backgrounds(dice, count):
    """Gradients, noise of four scales, cells, gratings, half-planes, boxes and discs, mixed at random -> [count, 3, 128, 128]."""
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, 128, device=dice.device)] * 2, indexing="ij")
    a, b = dice(count, 3, 1, 1), dice(count, 3, 1, 1)
    turn = dice(count, 1, 1, 1, high=6.3)
    ramp = (x * turn.cos() + y * turn.sin()) * 0.5 + 0.5
    picture = a + (b - a) * ramp
    for scale, strength in ((3, 0.45), (8, 0.35), (24, 0.2), (64, 0.13)):
        noise = dice.normal(count, 3, scale, scale) * dice(count, 1, 1, 1).square() * strength
        picture = picture + F.interpolate(noise, (128, 128), mode="bicubic", align_corners=False)
    picture = with_cells(picture, dice)
    for _ in range(2):
        turn, pitch = dice(count, 1, 1, 1, high=6.3), dice(count, 1, 1, 1, low=3, high=40)
        wave = torch.sin((x * turn.cos() + y * turn.sin()) * pitch + dice(count, 1, 1, 1, high=6.3))
        sharp = torch.where(dice(count, 1, 1, 1) < 0.4, wave.sign(), wave)
        picture = picture + sharp * (dice(count, 3, 1, 1) - 0.5) * (dice(count, 1, 1, 1) < 0.3) * 0.5
    picture = with_shapes(with_planes(picture, x, y, dice), x, y, dice)
    return picture.lerp(picture.mean(1, keepdim=True), dice(count, 1, 1, 1)).clamp(0, 1)


def with_cells(picture, dice):
    """Some get a lattice of cells, each a little lighter or darker or of another colour."""
    for cells in (5, 11, 19):
        noise = dice.normal(len(picture), 3, cells, cells) * dice(len(picture), 1, 1, 1, high=0.3) * (dice(len(picture), 1, 1, 1) < 0.1)
        picture = picture + F.interpolate(noise, (128, 128), mode="nearest")
    return picture


def with_planes(picture, x, y, dice):
    """Horizons, and wedges where two of them meet."""
    count = len(picture)
    for _ in range(3):
        sides = []
        for _ in range(2):
            turn = dice(count, 1, 1, 1, high=6.3)
            sides.append(x * turn.cos() + y * turn.sin() > dice(count, 1, 1, 1, low=-0.8, high=0.8))
        wedge = sides[0] & (sides[1] | (dice(count, 1, 1, 1) < 0.5)) & (dice(count, 1, 1, 1) < 0.2)
        picture = torch.where(wedge, picture * 0.4 + 0.6 * dice(count, 3, 1, 1), picture)
    return picture


def with_shapes(picture, x, y, dice):
    """Boxes, discs and rings, few and large or many and small; some soft."""
    count = len(picture)
    small = 1 - 0.8 * (dice(count, 1, 1, 1) < 0.4).float()
    many = dice(count, 1, 1, 1, low=0.1, high=0.7)
    for _ in range(8):
        cx, cy = dice(count, 1, 1, 1, low=-1), dice(count, 1, 1, 1, low=-1)
        w, h = (small * dice(count, 1, 1, 1, low=0.05, high=0.6) for _ in range(2))
        box = ((x - cx).abs() < w) & ((y - cy).abs() < h)
        reach = ((x - cx) / w).square() + ((y - cy) / h).square()
        kind = dice(count, 1, 1, 1)
        hard = torch.where(kind < 0.4, box, torch.where(kind < 0.65, reach < 1, (reach < 1) & (reach > 0.7))).float()
        shape = torch.where(kind > 0.85, (1.5 - reach).clamp(0, 1), hard) * (dice(count, 1, 1, 1) < many)
        picture = picture.lerp(dice(count, 3, 1, 1).expand_as(picture), shape * dice(count, 1, 1, 1, low=0.4))
    return picture
