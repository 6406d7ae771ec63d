"""The model in PyTorch, for training: the same tensors and names as a published Vidi1.5 folder, only smaller.

Shapes: B clips of F frames and A audio tokens each, R questions of T tokens a clip, H hidden, P = 16 tokens a frame.
Media states never read text (decomposed attention), so one encoded clip serves all of its questions.
"""
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from towers import AudioTower, VisionTower


@dataclass
class Sizes:
    hidden: int = 192
    layers: int = 6
    heads: int = 4
    kv_heads: int = 2
    head: int = 64
    mlp: int = 416
    vocabulary: int = 1024
    image: int = 98
    patch: int = 14
    vision: int = 192
    vision_heads: int = 6
    vision_mlp: int = 576
    vision_layers: int = 6
    audio: int = 160
    audio_heads: int = 5
    audio_mlp: int = 480
    audio_layers: int = 3
    mels: int = 128
    audio_positions: int = 1500
    image_pool: int = 2
    audio_pool: int = 5
    time_interval: int = 10000
    std: float = 0.07


def softcap(x, cap):
    return cap * torch.tanh(x / cap)


def rms(x, eps):
    x32 = x.float()
    return x32 * torch.rsqrt(x32.square().mean(-1, keepdim=True) + eps)


def gemma_norm(x, weight):
    return rms(x, 1e-6) * (1 + weight)


def capped_softmax(scores, scale, mask):
    capped = softcap(scores.float() * scale, 50.0)
    return (capped if mask is None else capped + mask).softmax(-1).to(scores.dtype)


def fuse():
    """Compiles what is many small kernels otherwise; for a GPU."""
    global gemma_norm, capped_softmax
    gemma_norm = torch.compile(gemma_norm, dynamic=True)
    capped_softmax = torch.compile(capped_softmax, dynamic=True)


class PlainNorm(nn.Module):
    def __init__(self, width, value):
        super().__init__()
        self.weight = nn.Parameter(torch.full((width,), value))

    def forward(self, x):
        return rms(x, 1e-5) * self.weight


class GemmaNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return gemma_norm(x, self.weight)


class Position(nn.Module):
    """Position as a share of the window, up to `top`; always float32."""

    def __init__(self, hidden):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, hidden))

    def forward(self, top, length, device):
        hidden = self.mlp[0].in_features
        with torch.autocast(device.type, enabled=False):
            p = torch.arange(length, device=device, dtype=torch.float32) / (length - 1) * (top - 1)
            f = torch.exp(torch.arange(0, hidden, 2, device=device).float() * -(math.log(10000) / hidden))
            angle = p[:, None] * f
            return rms(self.mlp(torch.stack([angle.sin(), angle.cos()], -1).flatten(1)), 1e-5)


class Projector(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden))

    def forward(self, x):
        return self.model(x)


def rotate(x, first=0):
    """Rotary positions; x [..., T, head]."""
    half = x.shape[-1] // 2
    f = 10000 ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angle = torch.arange(first, first + x.shape[-2], device=x.device).float()[:, None] * f
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class DecoderAttention(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s = s
        self.q_proj = nn.Linear(s.hidden, s.heads * s.head, bias=False)
        self.k_proj = nn.Linear(s.hidden, s.kv_heads * s.head, bias=False)
        self.v_proj = nn.Linear(s.hidden, s.kv_heads * s.head, bias=False)
        self.o_proj = nn.Linear(s.heads * s.head, s.hidden, bias=False)

    def capped(self, q, k, v, mask=None):
        """q [N, kv, groups * L, head], k and v [N, kv, keys, head]; soft cap 50."""
        return capped_softmax(q @ k.transpose(-1, -2), self.s.head ** -0.5, mask) @ v

    def group(self, q):
        """[N, L, heads * head] -> [N, kv, groups, L, head]"""
        n, length, _ = q.shape
        s = self.s
        return q.view(n, length, s.kv_heads, s.heads // s.kv_heads, s.head).permute(0, 2, 3, 1, 4)

    def keys(self, x):
        n, length, _ = x.shape
        return x.view(n, length, self.s.kv_heads, self.s.head).transpose(1, 2)

    def own(self, q, k, v):
        """Causal attention of text to itself; q, k, v of [N, T, .]"""
        n, t, _ = q.shape
        qs, ks = rotate(self.group(q)), rotate(self.keys(k))
        mask = torch.full((t, t), float("-inf"), device=q.device).triu(1).repeat(self.s.heads // self.s.kv_heads, 1)
        out = self.capped(qs.flatten(2, 3), ks, self.keys(v), mask)
        return self.ungroup(out, n, t)

    def cross(self, q, k, v):
        """Text [B * R, T, .] reads media [B, M, .] of its clip."""
        rows, t, _ = q.shape
        b = k.shape[0]
        qs = self.group(q).unflatten(0, (b, rows // b)).permute(0, 2, 1, 3, 4, 5)  # B kv R groups T head
        out = self.capped(qs.flatten(2, 4), self.keys(k), self.keys(v))
        out = out.view(b, self.s.kv_heads, rows // b, -1, self.s.head).transpose(1, 2).flatten(0, 1)
        return self.ungroup(out, rows, t)

    def ungroup(self, x, n, t):
        return x.view(n, self.s.kv_heads, -1, t, self.s.head).permute(0, 3, 1, 2, 4).reshape(n, t, -1)

    def diagonal(self, v):
        """What media tokens read: each its own value, for every head of the group."""
        s = self.s
        v = v.unflatten(-1, (s.kv_heads, 1, s.head)).expand(-1, -1, -1, s.heads // s.kv_heads, -1)
        return self.o_proj(v.flatten(-3))


class DecoderMlp(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.gate_proj = nn.Linear(s.hidden, s.mlp, bias=False)
        self.up_proj = nn.Linear(s.hidden, s.mlp, bias=False)
        self.down_proj = nn.Linear(s.mlp, s.hidden, bias=False)

    def forward(self, x):
        return self.down_proj(F.gelu(self.gate_proj(x), approximate="tanh") * self.up_proj(x))


class DecoderLayer(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.self_attn, self.mlp = DecoderAttention(s), DecoderMlp(s)
        self.input_layernorm, self.post_attention_layernorm = GemmaNorm(s.hidden), GemmaNorm(s.hidden)
        self.pre_feedforward_layernorm, self.post_feedforward_layernorm = GemmaNorm(s.hidden), GemmaNorm(s.hidden)

    def feed(self, x):
        return x + self.post_feedforward_layernorm(self.mlp(self.pre_feedforward_layernorm(x)))

    def media(self, v):
        """Media states -> (their keys, their values, the next states)."""
        vn = self.input_layernorm(v)
        keys, values = self.self_attn.k_proj(vn), self.self_attn.v_proj(vn)
        return keys, values, self.feed(v + self.post_attention_layernorm(self.self_attn.diagonal(values)))

    def text(self, x, sources):
        """Text states [B * R, T, H]; sources = (keys, values, weight [B * R, 1, 1] or 1) of each medium."""
        a, xn = self.self_attn, self.input_layernorm(x)
        q = a.q_proj(xn)
        total = a.own(q, a.k_proj(xn), a.v_proj(xn))
        for keys, values, weight in sources:
            total = total + a.cross(q, keys, values) * weight
        return self.feed(x + self.post_attention_layernorm(a.o_proj(total)))


class Vidi(nn.Module):
    """State dict = a published folder's tensors. `see`, `hear` and `encode` give media states, `read` text states."""

    def __init__(self, s):
        super().__init__()
        self.sizes = s
        self.model = m = nn.Module()
        m.embed_tokens = nn.Embedding(s.vocabulary, s.hidden)
        m.layers = nn.ModuleList(DecoderLayer(s) for _ in range(s.layers))
        m.norm = GemmaNorm(s.hidden)
        m.mm_vis, m.mm_aud = VisionTower(s), AudioTower(s)
        m.mm_rand_img_projector = Projector(s.vision * s.image_pool ** 2, s.hidden)
        m.mm_rand_aud_pool = nn.Conv1d(s.audio, s.hidden, s.audio_pool, s.audio_pool, bias=False)
        m.mm_rand_aud_projector = Projector(s.hidden, s.hidden)
        m.mm_rand_img_norm, m.mm_rand_aud_norm = PlainNorm(s.hidden, 1.0), PlainNorm(s.hidden, 1.0)
        m.mm_rand_llm_norm = PlainNorm(s.hidden, s.std)
        m.mm_rand_pos_h, m.mm_rand_pos_w, m.mm_rand_pos_t = (Position(s.hidden) for _ in range(3))
        self.apply(initialise)
        nn.init.normal_(m.embed_tokens.weight, std=s.std)
        for name, parameter in self.named_parameters():
            if name.endswith(("out_proj.weight", "fc2.weight")) and "mm_" in name:
                parameter.data.mul_(0.5)
            if ".head." in name:
                parameter.data.zero_()

    def see(self, pixels, frames):
        """[B * F, 3, side, side] -> [B, F, 4, 4, H] before positions."""
        s, m = self.sizes, self.model
        grid = s.image // s.patch
        x = m.mm_vis(pixels).transpose(1, 2).unflatten(2, (grid, grid))
        x = F.pad(x, (0, 1, 0, 1))
        x = F.pixel_unshuffle(x, s.image_pool).permute(0, 2, 3, 1)
        return m.mm_rand_img_norm(m.mm_rand_img_projector(x)).unflatten(0, (-1, frames))

    def hear(self, mel, chunks, steps):
        """[B * chunks, mels, 3000], `steps` = encoder steps of a clip's length -> [B, A, H] before positions."""
        m = self.model
        x = m.mm_aud(mel).unflatten(0, (-1, chunks)).flatten(1, 2)[:, :steps]
        x = m.mm_rand_aud_pool(x.transpose(1, 2)).transpose(1, 2)
        return m.mm_rand_aud_norm(m.mm_rand_aud_projector(x))

    def place_frames(self, x):
        s, m = self.sizes, self.model
        _, frames, rows, columns, _ = x.shape
        x = x + m.mm_rand_pos_h(s.image_pool, rows, x.device)[:, None] + m.mm_rand_pos_w(s.image_pool, columns, x.device)
        x = x + m.mm_rand_pos_t(s.time_interval, frames, x.device)[:, None, None]
        return m.mm_rand_llm_norm(x.flatten(1, 3)) * self.sizes.hidden ** 0.5

    def place_audio(self, x):
        x = x + self.model.mm_rand_pos_t(self.sizes.time_interval, x.shape[1], x.device)
        return self.model.mm_rand_llm_norm(x) * self.sizes.hidden ** 0.5

    def encode(self, image, audio):
        """Media states -> [(keys, values)] of every layer, for each; one pass, since tokens do not read each other."""
        n, states = image.shape[1], torch.cat([image, audio], 1)
        seen, heard = [], []
        for layer in self.model.layers:
            keys, values, states = layer.media(states)
            seen.append((keys[:, :n], values[:, :n]))
            heard.append((keys[:, n:], values[:, n:]))
        return seen, heard

    def read(self, ids, image, audio, audio_weight=1.0, taps=()):
        """Token ids [B * R, T] -> (logits [B * R, T, vocabulary], [states after the layers in `taps`])."""
        x = self.model.embed_tokens(ids).float() * self.sizes.hidden ** 0.5
        tapped = []
        for i, layer in enumerate(self.model.layers):
            x = layer.text(x, [(*image[i], 1.0), (*audio[i], audio_weight)])
            if i + 1 in taps:
                tapped.append(x)
        return softcap((self.model.norm(x) @ self.model.embed_tokens.weight.t()).float(), 30.0), tapped


def initialise(module):
    if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d)):
        nn.init.normal_(module.weight, std=module.weight[0].numel() ** -0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding) and module.weight.requires_grad:
        nn.init.normal_(module.weight, std=0.07)
