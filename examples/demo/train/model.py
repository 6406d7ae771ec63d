"""The model in PyTorch, for training: the same tensors and names as a published Vidi1.5 folder, only smaller.

Shapes: B clips of F frames and A audio tokens each, R questions of T tokens a clip, H hidden, P = 16 tokens a frame.
Media states never read text (decomposed attention), so one encoded clip serves all of its questions.
"""
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from capped import capped_softmax
from towers import AudioTower, VisionTower, together


@dataclass
class Sizes:
    hidden: int = 192
    layers: int = 6
    heads: int = 4
    kv_heads: int = 2
    head: int = 64
    mlp: int = 416
    vocabulary: int = 1280
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


def rms_norm(x, weight, eps):
    return F.rms_norm(x.float(), weight.shape, weight, eps)


class PlainNorm(nn.Module):
    def __init__(self, width, value):
        super().__init__()
        self.weight = nn.Parameter(torch.full((width,), value))

    def forward(self, x):
        return rms_norm(x, self.weight, 1e-5)


class GemmaNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return rms_norm(x, 1 + self.weight, 1e-6)


class Position(nn.Module):
    """Position as a share of the window, up to `top`, of a medium that fills `share` of it; always float32."""

    def __init__(self, hidden):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, hidden))

    def forward(self, top, length, device, share=1.0):
        hidden = self.mlp[0].in_features
        with torch.autocast(device.type, enabled=False):
            p = torch.arange(length, device=device, dtype=torch.float32) / (length / share - 1) * (top - 1)
            f = torch.exp(torch.arange(0, hidden, 2, device=device).float() * -(math.log(10000) / hidden))
            angle = p[:, None] * f
            return F.rms_norm(self.mlp(torch.stack([angle.sin(), angle.cos()], -1).flatten(1)), (hidden,), eps=1e-5)


class Projector(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden))

    def forward(self, x):
        return self.model(x)


def turns(length, head, device):
    """Cosines and signed sines of the rotary positions 0..length-1, [length, head] each."""
    f = 10000 ** (-torch.arange(head // 2, device=device, dtype=torch.float32) / (head // 2))
    angle = torch.arange(length, device=device).float()[:, None] * f
    return angle.cos().repeat(1, 2), torch.cat([-angle.sin(), angle.sin()], 1)


def rotate(x, cos, sin):
    """x [..., T, head]"""
    return torch.addcmul(x * cos.to(x.dtype), x.roll(x.shape[-1] // 2, -1), sin.to(x.dtype))


class DecoderAttention(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s = s
        self.q_proj = nn.Linear(s.hidden, s.heads * s.head, bias=False)
        self.k_proj = nn.Linear(s.hidden, s.kv_heads * s.head, bias=False)
        self.v_proj = nn.Linear(s.hidden, s.kv_heads * s.head, bias=False)
        self.o_proj = nn.Linear(s.heads * s.head, s.hidden, bias=False)

    def capped(self, q, k, v, causal=False):
        """q [N, kv, groups * L, head], k and v [N, kv, keys, head]; soft cap 50."""
        return capped_softmax(q @ k.transpose(-1, -2), self.s.head ** -0.5, 50.0, causal) @ v

    def group(self, q):
        """[N, L, heads * head] -> [N, kv, groups, L, head]"""
        n, length, _ = q.shape
        s = self.s
        return q.view(n, length, s.kv_heads, s.heads // s.kv_heads, s.head).permute(0, 2, 3, 1, 4)

    def keys(self, x):
        n, length, _ = x.shape
        return x.view(n, length, self.s.kv_heads, self.s.head).transpose(1, 2)

    def own(self, q, k, v, cos, sin):
        """Causal attention of text to itself; q, k, v of [N, T, .]"""
        n, t, _ = q.shape
        qs, ks = rotate(self.group(q), cos, sin), rotate(self.keys(k), cos, sin)
        return self.ungroup(self.capped(qs.flatten(2, 3), ks, self.keys(v), causal=True), n, t)

    def clipwise(self, q, clips):
        """[clips * R, T, .] -> [clips, kv, R * groups * T, head]: all that reads the same clip."""
        return self.group(q).unflatten(0, (clips, -1)).permute(0, 2, 1, 3, 4, 5).flatten(2, 4)

    def cross(self, q, k, v, shape):
        """Text, q of `clipwise` and [clips * R, T, .] in shape, reads media [clips, M, .] of its clip."""
        n, t, _ = shape
        out = self.capped(q, self.keys(k), self.keys(v))
        out = out.view(len(k), self.s.kv_heads, n // len(k), -1, self.s.head).transpose(1, 2).flatten(0, 1)
        return self.ungroup(out, n, t)

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
        gate, up = together(x, self.gate_proj, self.up_proj)
        return self.down_proj(F.gelu(gate, approximate="tanh") * up)


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
        keys, values = together(vn, self.self_attn.k_proj, self.self_attn.v_proj)
        return keys, values, self.feed(v + self.post_attention_layernorm(self.self_attn.diagonal(values)))

    def text(self, x, turn, sources):
        """Text states [B * R, T, H]; turn = (cos, sin); sources = (keys, values, weight [B * R, 1, 1] or 1) of each medium."""
        a = self.self_attn
        q, k, v = together(self.input_layernorm(x), a.q_proj, a.k_proj, a.v_proj)
        total, asking = a.own(q, k, v, *turn), a.clipwise(q, len(sources[0][0]))
        for keys, values, weight in sources:
            total = total + a.cross(asking, keys, values, x.shape) * weight
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

    def place_frames(self, x, share=1.0):
        s, m = self.sizes, self.model
        _, frames, rows, columns, _ = x.shape
        x = x + m.mm_rand_pos_h(s.image_pool, rows, x.device)[:, None] + m.mm_rand_pos_w(s.image_pool, columns, x.device)
        x = x + m.mm_rand_pos_t(s.time_interval, frames, x.device, share)[:, None, None]
        return m.mm_rand_llm_norm(x.flatten(1, 3)) * self.sizes.hidden ** 0.5

    def place_audio(self, x, share=1.0):
        x = x + self.model.mm_rand_pos_t(self.sizes.time_interval, x.shape[1], x.device, share)
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
        tapped, turn = [], turns(ids.shape[1], self.sizes.head, ids.device)
        for i, layer in enumerate(self.model.layers):
            x = layer.text(x, turn, [(*image[i], 1.0), (*audio[i], audio_weight)])
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
