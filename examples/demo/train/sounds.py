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

    def mix(self, clips, notes, samples, generator=None):
        """Planned notes (rows of `note_rows`) -> [clips, samples]. Counts are of the CPU, so that nothing waits for the GPU. With a
        generator a note's beginning is slower than its end, or faster."""
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
        if generator is not None:
            bend = (torch.rand(len(count), device=device, generator=generator, dtype=torch.float64) - 0.5)[row] * 0.4
            source = source + bend * source * (1 - source / (last + 1))
        low = torch.minimum(source.long().clamp(min=0), last)
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


def swelling(clips, samples, generator, device):
    """Levels of a noise that comes and goes as traffic and wind do, up to 1."""
    def rand(*shape):
        return torch.rand(*shape, device=device, generator=generator)

    t = torch.arange(samples, device=device)[None] / RATE
    waves = sum(torch.sin(2 * math.pi * (rand(clips, 1) * 0.6 * t + rand(clips, 1))) for _ in range(3)) / 3
    return 10 ** (rand(clips, 1) * 1.2 * (waves - 1))


def in_rooms(sound, generator):
    """Every clip in a room of its own: echoes of noise that die away, each band of it at its pace."""
    clips, samples = sound.shape
    device = sound.device

    def rand(low, high):
        return torch.rand(clips, 1, device=device, generator=generator) * (high - low) + low

    long = RATE
    t = torch.arange(long, device=device)[None] / RATE
    decay = 10 ** rand(-1.1, 0.0)  # seconds until 60 dB less
    tail = torch.randn(clips, long, device=device, generator=generator) * 10 ** (-3 * t / decay) * (t > rand(0.001, 0.03))
    sparse = torch.rand(clips, long, device=device, generator=generator) < 10 ** rand(-2.7, 0.0)  # few echoes or many
    tail = torch.fft.rfft(tail * sparse)
    dull = 1 / (1 + torch.arange(tail.shape[1], device=device)[None] / 10 ** rand(2.7, 4))
    tail = torch.fft.irfft(tail * dull, long)
    tail = tail / tail.square().sum(1, keepdim=True).sqrt().clamp(min=1e-6) * 10 ** (rand(-22, 1) / 20)
    tail[:, 0] += 1
    n = -(-(samples + long) // RATE) * RATE
    return torch.fft.irfft(torch.fft.rfft(sound, n) * torch.fft.rfft(tail, n), n)[:, :samples]


def some(share, clips, generator, device, apply, sound):
    """`apply` to a share of the clips, picked at random; their number is fixed, so that nothing waits for the device."""
    count = round(share * clips)
    if not count:
        return sound
    rows = torch.rand(clips, device=device, generator=generator).argsort()[:count]
    return sound.index_copy(0, rows, apply(sound[rows]))


def through_telephones(sound, generator):
    """300 to 3400 Hz, more or less, in 8 bits of mu-law."""
    clips, samples = sound.shape

    def rand(low, high):
        return torch.rand(clips, 1, device=sound.device, generator=generator) * (high - low) + low

    spectrum = torch.fft.rfft(sound)
    f = torch.arange(spectrum.shape[1], device=sound.device)[None] * (RATE / samples)
    spectrum = spectrum * torch.sigmoid((f - rand(50, 400)) / 40) * torch.sigmoid((rand(2800, 4300) - f) / 80)
    sound = torch.fft.irfft(spectrum, samples).clamp(-1, 1)
    codes = (sound.sign() * torch.log1p(255 * sound.abs()) / math.log(256) * 127.5).round() / 127.5
    return codes.sign() * (256 ** codes.abs() - 1) / 255


def disturb(sound, generator, bed):
    """Rooms, noise, hum, telephones and level as recordings have them; chords below the clips of `bed`, a numpy array of bool."""
    clips, samples = sound.shape
    device = sound.device

    def rand(low, high):
        return torch.rand(clips, 1, device=device, generator=generator) * (high - low) + low

    sound = some(0.4, clips, generator, device, lambda s: in_rooms(s, generator), sound)
    level = 10 ** (rand(-75, -18) / 20) * (rand(0, 1) < 0.6)
    noise = some(0.35, clips, generator, device, lambda s: s * swelling(*s.shape, generator, device), coloured_noise(clips, samples, generator, device))
    sound = sound + noise * level
    if bed.any():
        rows = send(np.flatnonzero(bed), device)
        strength = 10 ** (rand(-36, -14) / 20)[rows]
        sound = sound.index_add(0, rows, chords(len(rows), samples, generator, device) * strength)
    t = torch.arange(samples, device=device) / RATE
    hum = torch.sin(2 * math.pi * rand(45, 130) * t) * 10 ** (rand(-70, -30) / 20) * (rand(0, 1) < 0.2)
    sound = some(0.12, clips, generator, device, lambda s: through_telephones(s, generator), sound + hum)
    return (sound * 10 ** (rand(-16, 0) / 20)).clamp(-1, 1)


def mel_filters(device, mels=128, bins=201, stretch=None):
    """Slaney's mel scale and area normalisation, 0 to 8 kHz. `stretch` [N, 2]: filters [N, mels, bins] that hear the low frequencies
    times the first, the high ones times the second, as of throats and things of another size."""
    def to_mel(f):
        return torch.where(f < 1000, f * 3 / 200, 15 + torch.log(f.clamp(min=1) / 1000) * 27 / math.log(6.4))

    def to_hertz(m):
        return torch.where(m < 15, m * 200 / 3, 1000 * torch.exp((m - 15) * math.log(6.4) / 27))

    kind = {"dtype": torch.float64, "device": device if stretch is not None else "cpu"}
    edges = to_hertz(torch.linspace(0, to_mel(torch.tensor(8000.0, dtype=torch.float64)).item(), mels + 2, **kind))
    f = torch.linspace(0, 8000, bins, **kind)
    f = f[None] if stretch is None else (f * torch.lerp(*stretch.double().split(1, 1), (f / 8000).sqrt()))[:, None]
    up = (f - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    down = (edges[2:, None] - f) / (edges[2:] - edges[1:-1])[:, None]
    weight = torch.minimum(up, down).clamp(min=0) * (2 / (edges[2:] - edges[:-2]))[:, None]
    return weight.float().to(device)


def random_filters(clips, generator, device):
    """Those of half of the clips are stretched."""
    stretch = 1.18 ** (torch.rand(clips, 2, device=device, generator=generator) * 2 - 1)
    return mel_filters(device, stretch=torch.where(torch.rand(clips, 1, device=device, generator=generator) < 0.6, stretch, 1.0))


def log_mel(sound, filters, equaliser=None, generator=None):
    """[clips, samples] -> [clips * chunks, mels, 3000]; `equaliser` [clips, mels] scales the power; filters of all clips or of each."""
    clips, samples = sound.shape
    chunks = math.ceil(samples / CHUNK)
    padded = torch.nn.functional.pad(sound, (0, chunks * CHUNK - samples)).view(clips * chunks, CHUNK)
    window = torch.hann_window(400, device=sound.device)
    power = torch.stft(padded, 400, 160, window=window, return_complex=True)[..., :-1].abs().square_()
    mel = (filters if filters.ndim == 2 else filters.repeat_interleave(chunks, 0)) @ power
    if equaliser is not None:
        mel = mel * equaliser.repeat_interleave(chunks, 0)[:, :, None]
    if generator is not None:
        mel = with_holes(mel, generator)
    logs = mel.clamp(min=1e-10).log10()
    logs = torch.maximum(logs, logs.amax((1, 2), keepdim=True) - 8)
    return (logs + 4) / 4


def random_equaliser(clips, generator, device, mels=128):
    """A smooth curve of +-10 dB, sometimes with the heights cut off, sometimes the depths."""
    def rand(*shape):
        return torch.rand(*shape, device=device, generator=generator)

    curve = torch.nn.functional.interpolate((rand(clips, 1, 7) - 0.5) * 2, mels, mode="linear", align_corners=True)[:, 0]
    band = torch.arange(mels, device=device)[None]
    low_pass = torch.where(band > rand(clips, 1) * 110 + 55, -4.0, 0.0)
    high_pass = torch.where(band < rand(clips, 1) * 14 * (rand(clips, 1) < 0.3), -3.0, 0.0)
    return 10 ** (curve + low_pass + high_pass)


def with_holes(mel, generator):
    """Power [N, mels, T] as codecs leave it at low rates: in a third of the rows what lies far below the loudest band of its moment is gone."""
    n = len(mel)
    depth = 10 ** -(torch.rand(n, 1, 1, device=mel.device, generator=generator) * 3 + 2)
    depth = depth * (torch.rand(n, 1, 1, device=mel.device, generator=generator) < 0.33)
    return mel * (mel >= depth * mel.amax(1, keepdim=True))


def encoder_steps(seconds):
    """Encoder steps that belong to a clip's sound."""
    return math.floor(math.floor(seconds * RATE / 160) * 0.5)
