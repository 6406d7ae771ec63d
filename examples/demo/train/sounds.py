"""Sound of planned clips on the GPU: mixing, noise, and Whisper's log-mel."""
import math

import numpy as np
import torch

from device import send

RATE = 16000
CHUNK = 30 * RATE


def decode_mu_law(codes):
    v = codes.float() / 127.5 - 1
    return v.sign() * (256 ** v.abs() - 1) / 255


class Waves:
    """The bank's waves as one float tensor on the device."""

    def __init__(self, data, device):
        self.samples = decode_mu_law(torch.from_numpy(data["waves"]).to(device))
        self.start = data["wave_start"]

    def mix(self, clips, notes, samples):
        """Planned notes (rows of `note_rows`) -> [clips, samples]. Counts are of the CPU, so that nothing waits for the GPU."""
        device = self.samples.device
        clip, wave, at, speed, gain = notes.T
        clip, wave = clip.astype(int), wave.astype(int)
        length = self.start[wave + 1] - self.start[wave]
        count = np.maximum((length / speed).astype(int), 1)
        target = (at * RATE).astype(int)
        table = np.stack([np.cumsum(count) - count, self.start[wave], length - 1, clip * samples + target, (clip + 1) * samples])
        total = int(count.sum())
        row = torch.repeat_interleave(send(count, device), output_size=total)
        before, base, last, target, end = send(table, device)[:, row]
        speed, gain = send(np.stack([speed, gain]), device)[:, row]
        step = torch.arange(total, device=device) - before
        source = step * speed
        low = torch.minimum(source.long(), last)
        high, share = torch.minimum(low + 1, last), (source - low).float()
        value = self.samples[base + low].lerp_(self.samples[base + high], share) * gain.float()
        target = torch.minimum(target + step, end)
        out = torch.zeros(clips * samples + 1, device=device)
        out.index_add_(0, torch.where(target < end, target, clips * samples), value)  # what sounds after its clip's end goes to the last
        return out[:-1].view(clips, samples)


def note_rows(clips):
    """float64 [N, 5]: clip, wave, start in seconds, speed, gain."""
    rows = [(c, *note) for c, clip in enumerate(clips) for s in clip.stretches for note in s.notes]
    return np.array(rows, np.float64).reshape(-1, 5)


def coloured_noise(clips, samples, generator, device):
    """White to brown noise of power 1: the spectrum falls with a random slope."""
    spectrum = torch.fft.rfft(torch.randn(clips, samples, device=device, generator=generator))
    f = torch.arange(spectrum.shape[1], device=device).clamp(min=max(1, samples // 800))
    slope = torch.rand(clips, 1, device=device, generator=generator) * 1.15
    noise = torch.fft.irfft(spectrum * (f / f[-1]) ** -slope, samples)
    return noise / noise.std(1, keepdim=True).clamp(min=1e-9)


def chords(clips, samples, generator, device):
    """A progression of four chords, struck again and again or note after note, softly or hard, as music below a scene."""
    def rand(*shape):
        return torch.rand(*shape, device=device, generator=generator)

    t = torch.arange(samples, device=device)[None] / RATE
    length = 0.15 * 20 ** rand(clips, 1)
    bar = (t / length).long()
    since = t - bar * length
    note = 110 * 2 ** (torch.floor(rand(clips, 12) * 30) / 12)
    one_by_one, glued, overtones = rand(clips, 1) < 0.5, rand(clips, 1) < 0.5, rand(clips, 3)
    attack, decay = 10 ** (1 + 2.3 * rand(clips, 1)), 8 * rand(clips, 3).square()
    out = torch.zeros(clips, samples, device=device)
    for voice in range(3):
        which = torch.where(one_by_one, bar // 8 % 4 * 3 + (bar + voice) % 3, bar % 4 * 3 + voice)
        pitch = note.gather(1, which)
        turn = 2 * math.pi * torch.where(glued, pitch.cumsum(1) / RATE, pitch * t)
        tone = turn.sin() + sum(overtones[:, k:k + 1] * (turn * (k + 2)).sin() / (k + 1) for k in range(3))
        out += tone * torch.exp(-since * decay[:, voice:voice + 1]) * (since * attack).clamp(max=1)
    return out / out.std(1, keepdim=True).clamp(min=1e-9)


def disturb(sound, generator, bed):
    """Noise, hum and level as recordings have them; chords below the clips of `bed`, a numpy array of bool."""
    clips, samples = sound.shape
    device = sound.device

    def rand(low, high):
        return torch.rand(clips, 1, device=device, generator=generator) * (high - low) + low

    level = 10 ** (rand(-75, -16) / 20) * (rand(0, 1) < 0.6)
    sound = sound + coloured_noise(clips, samples, generator, device) * level
    if bed.any():
        rows = send(np.flatnonzero(bed), device)
        strength = 10 ** (rand(-36, -14) / 20)[rows]
        sound = sound.index_add(0, rows, chords(len(rows), samples, generator, device) * strength)
    t = torch.arange(samples, device=device) / RATE
    hum = torch.sin(2 * math.pi * rand(45, 130) * t) * 10 ** (rand(-70, -30) / 20) * (rand(0, 1) < 0.2)
    return ((sound + hum) * 10 ** (rand(-12, 0) / 20)).clamp(-1, 1)


def mel_filters(device, mels=128, bins=201):
    """Slaney's mel scale and area normalisation, 0 to 8 kHz."""
    def to_mel(f):
        return torch.where(f < 1000, f * 3 / 200, 15 + torch.log(f.clamp(min=1) / 1000) * 27 / math.log(6.4))

    def to_hertz(m):
        return torch.where(m < 15, m * 200 / 3, 1000 * torch.exp((m - 15) * math.log(6.4) / 27))

    edges = to_hertz(torch.linspace(0, to_mel(torch.tensor(8000.0, dtype=torch.float64)).item(), mels + 2, dtype=torch.float64))
    f = torch.linspace(0, 8000, bins, dtype=torch.float64)
    up = (f[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    down = (edges[2:, None] - f[None]) / (edges[2:] - edges[1:-1])[:, None]
    weight = torch.minimum(up, down).clamp(min=0) * (2 / (edges[2:] - edges[:-2]))[:, None]
    return weight.float().to(device)


def log_mel(sound, filters, equaliser=None):
    """[clips, samples] -> [clips * chunks, mels, 3000]; `equaliser` [clips, mels] scales the power."""
    clips, samples = sound.shape
    chunks = math.ceil(samples / CHUNK)
    padded = torch.nn.functional.pad(sound, (0, chunks * CHUNK - samples)).view(clips * chunks, CHUNK)
    window = torch.hann_window(400, device=sound.device)
    power = torch.stft(padded, 400, 160, window=window, return_complex=True)[..., :-1].abs().square_()
    mel = filters @ power
    if equaliser is not None:
        mel = mel * equaliser.repeat_interleave(chunks, 0)[:, :, None]
    logs = mel.clamp(min=1e-10).log10()
    logs = torch.maximum(logs, logs.amax((1, 2), keepdim=True) - 8)
    return (logs + 4) / 4


def random_equaliser(clips, generator, device, mels=128):
    """A smooth curve of +-10 dB, sometimes with the heights cut off."""
    points = (torch.rand(clips, 1, 7, device=device, generator=generator) - 0.5) * 2
    curve = torch.nn.functional.interpolate(points, mels, mode="linear", align_corners=True)[:, 0]
    cut = torch.rand(clips, 1, device=device, generator=generator) * 110 + 55
    low_pass = torch.where(torch.arange(mels, device=device)[None] > cut, -4.0, 0.0)
    return 10 ** (curve + low_pass)


def encoder_steps(seconds):
    """Encoder steps that belong to a clip's sound."""
    return math.floor(math.floor(seconds * RATE / 160) * 0.5)
