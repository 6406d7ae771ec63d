"""A checkpoint folder as the PyTorch model: shapes from its configs, inputs as the product makes them, greedy answers."""
import json
import pathlib

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

import sounds
import world
from model import Sizes, Vidi
from tokenizer import END, Tokenizer

MOST_TOKENS = 128  # of an answer


def sizes_of(folder):
    def read(name):
        return json.loads((folder / name / "config.json").read_text())

    c = read(".")
    v, a = read(c["mm_vision_tower"]), read(c["mm_audio_tower"])
    return Sizes(
        hidden=c["hidden_size"], layers=c["num_hidden_layers"], heads=c["num_attention_heads"],
        kv_heads=c["num_key_value_heads"], head=c["head_dim"], mlp=c["intermediate_size"], vocabulary=c["vocab_size"],
        image=v["image_size"], patch=v["patch_size"], vision=v["hidden_size"], vision_heads=v["num_attention_heads"],
        vision_mlp=v["intermediate_size"], vision_layers=v["num_hidden_layers"], audio=a["d_model"],
        audio_heads=a["encoder_attention_heads"], audio_mlp=a["encoder_ffn_dim"], audio_layers=a["encoder_layers"],
        mels=a["num_mel_bins"], audio_positions=a["max_source_positions"], image_pool=c["mm_image_pool_size"],
        audio_pool=c["mm_audio_pool_size"], time_interval=c["mm_time_interval"], std=c["mm_std"])


class Trained:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.model = Vidi(sizes_of(folder)).eval().requires_grad_(False)
        tensors = load_file(folder / "model-00001-of-00001.safetensors")
        self.model.load_state_dict({name: t.float() for name, t in tensors.items()})
        self.tokenizer = Tokenizer(folder / "tokenizer.model")
        self.filters = sounds.mel_filters("cpu", self.model.sizes.mels)

    def pixels(self, frames):
        """uint8 [F, H, W, 3] -> [F, 3, side, side]; Pillow's bicubic is what the published code uses."""
        side = (self.model.sizes.image,) * 2
        small = np.stack([np.array(Image.fromarray(frame).resize(side, Image.BICUBIC)) for frame in frames])
        return torch.from_numpy(small).permute(0, 3, 1, 2).float() / 127.5 - 1

    def mel(self, samples):
        """int16 [samples] -> [chunks, mels, 3000]"""
        return sounds.log_mel(torch.from_numpy(samples).float()[None] / 32768, self.filters)

    def look(self, frames):
        return self.model.place_frames(self.model.see(self.pixels(frames), len(frames)))

    def listen(self, samples):
        mel = self.mel(samples)
        return self.model.place_audio(self.model.hear(mel, len(mel), sounds.encoder_steps(len(samples) / sounds.RATE)))

    def watch(self, frames, samples):
        """What answers need of a clip; `samples` None or too short for two tokens: no sound."""
        deaf = samples is None or len(samples) < 2 * self.model.sizes.audio_pool * 320
        audio = torch.zeros(1, 2, self.model.sizes.hidden) if deaf else self.listen(samples)
        return *self.model.encode(self.look(frames), audio), 0.0 if deaf else 1.0

    def prompt(self, query):
        """The ids up to the answer; query None: the question for highlights."""
        query = query[:-1] if query and query.endswith(".") else query
        return self.tokenizer.prompt(world.HIGHLIGHT if query is None else world.RETRIEVAL.format(query=query))

    def answer(self, watched, prompt):
        """Greedy -> (ids with the end, their logits [steps, vocabulary])"""
        image, audio, weight = watched
        ids, rows = [], []
        while len(ids) < MOST_TOKENS and END not in ids:
            logits, _ = self.model.read(torch.tensor([prompt + ids]), image, audio, weight)
            rows.append(logits[0, -1].float())
            ids.append(int(rows[-1].argmax()))
        return ids, torch.stack(rows)

    def text(self, ids):
        return self.tokenizer.text(ids).strip()
