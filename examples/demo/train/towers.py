"""The SigLIP vision tower and the Whisper audio tower, with their published tensor names. `s` is model.Sizes."""
import math

import torch
import torch.nn.functional as F
from torch import nn


def together(x, *linears):
    """What several linear layers make of x, as one product."""
    weight, bias = torch.cat([l.weight for l in linears]), None
    if any(l.bias is not None for l in linears):
        bias = torch.cat([l.weight.new_zeros(l.out_features) if l.bias is None else l.bias for l in linears])
    return F.linear(x, weight, bias).split([l.out_features for l in linears], -1)


def attend(q, k, v, heads):
    """Full attention without caps; [N, L, W] each."""
    n, length, width = q.shape
    q, k, v = (t.view(n, length, heads, width // heads).transpose(1, 2) for t in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, length, width)


class TowerAttention(nn.Module):
    def __init__(self, width, heads, key_bias):
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=key_bias)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x):
        return self.out_proj(attend(*together(x, self.q_proj, self.k_proj, self.v_proj), self.heads))


class Mlp(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


class VisionLayer(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(s.vision, 1e-6), nn.LayerNorm(s.vision, 1e-6)
        self.self_attn = TowerAttention(s.vision, s.vision_heads, True)
        self.mlp = Mlp(s.vision, s.vision_mlp)

    def forward(self, x):
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class PoolingHead(nn.Module):
    """Never run; published folders have it and the published code wants its tensors. Zeros."""

    def __init__(self, s):
        super().__init__()
        self.probe = nn.Parameter(torch.zeros(1, 1, s.vision))
        self.attention = nn.MultiheadAttention(s.vision, s.vision_heads)
        self.layernorm = nn.LayerNorm(s.vision)
        self.mlp = Mlp(s.vision, s.vision_mlp)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)
            parameter.requires_grad_(False)


class VisionTower(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.vision_model = inner = nn.Module()
        grid = s.image // s.patch
        inner.embeddings = nn.Module()
        inner.embeddings.patch_embedding = nn.Conv2d(3, s.vision, s.patch, s.patch)
        inner.embeddings.position_embedding = nn.Embedding(grid * grid, s.vision)
        inner.encoder = nn.Module()
        inner.encoder.layers = nn.ModuleList(VisionLayer(s) for _ in range(s.vision_layers))
        inner.post_layernorm = nn.LayerNorm(s.vision)
        inner.head = PoolingHead(s)

    def forward(self, pixels):
        """[N, 3, side, side] in -1..1 -> [N, patches, width]: all layers but the last (select layer -2)."""
        inner = self.vision_model
        x = inner.embeddings.patch_embedding(pixels).flatten(2).transpose(1, 2)
        x = x + inner.embeddings.position_embedding.weight
        for layer in inner.encoder.layers[:-1]:
            x = layer(x)
        return x


class AudioLayer(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.self_attn_layer_norm, self.final_layer_norm = nn.LayerNorm(s.audio), nn.LayerNorm(s.audio)
        self.self_attn = TowerAttention(s.audio, s.audio_heads, False)
        self.fc1, self.fc2 = nn.Linear(s.audio, s.audio_mlp), nn.Linear(s.audio_mlp, s.audio)

    def forward(self, x):
        x = x + self.self_attn(self.self_attn_layer_norm(x))
        return x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))


def sinusoids(length, width):
    """Whisper's fixed positions: sines, then cosines, of log-spaced timescales."""
    scale = torch.exp(-math.log(10000) / (width // 2 - 1) * torch.arange(width // 2))
    angle = torch.arange(length)[:, None] * scale[None]
    return torch.cat([angle.sin(), angle.cos()], 1)


class AudioTower(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.encoder = inner = nn.Module()
        inner.conv1 = nn.Conv1d(s.mels, s.audio, 3, padding=1)
        inner.conv2 = nn.Conv1d(s.audio, s.audio, 3, stride=2, padding=1)
        inner.embed_positions = nn.Embedding(s.audio_positions, s.audio)
        inner.embed_positions.weight = nn.Parameter(sinusoids(s.audio_positions, s.audio), requires_grad=False)
        inner.layers = nn.ModuleList(AudioLayer(s) for _ in range(s.audio_layers))
        inner.layer_norm = nn.LayerNorm(s.audio)

    def forward(self, mel):
        """[chunks, mels, 3000] -> [chunks, 1500, width]."""
        inner = self.encoder
        x = F.gelu(inner.conv2(F.gelu(inner.conv1(mel)))).transpose(1, 2) + inner.embed_positions.weight
        for layer in inner.layers:
            x = layer(x)
        return inner.layer_norm(x)
