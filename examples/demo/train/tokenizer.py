"""The tokenizer: a small SentencePiece BPE with Gemma's own ids for turns and newlines (106 to 109)."""
import io
import json
import pathlib

import sentencepiece

import world

SYMBOLS = ["<mask>", "<2mass>", "[@BOS@]", *(f"<unused{i}>" for i in range(99)), "<start_of_turn>", "<end_of_turn>", "\n", "\n\n"]
BOS, TURN, END, NEWLINE = 2, 106, 107, 108


def train(path, vocabulary=1280):
    """Writes tokenizer.model; the same bytes every time."""
    sentences = [world.RETRIEVAL, world.HIGHLIGHT, "user model", world.NOTHING] * 50 + list(world.all_phrases(4000))
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_writer=model, model_type="bpe", vocab_size=vocabulary, byte_fallback=True,
        split_digits=True, normalization_rule_name="identity", add_dummy_prefix=False, remove_extra_whitespaces=False,
        user_defined_symbols=SYMBOLS, pad_id=0, eos_id=1, bos_id=2, unk_id=3, pad_piece="<pad>", eos_piece="<eos>",
        bos_piece="<bos>", unk_piece="<unk>", character_coverage=1.0, num_threads=1, minloglevel=2)
    pathlib.Path(path).write_bytes(model.getvalue())


class Tokenizer:
    def __init__(self, path):
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))
        assert self.pieces.piece_to_id("<start_of_turn>") == TURN and self.pieces.piece_to_id("\n") == NEWLINE

    def encode(self, text):
        return self.pieces.encode(text)

    def prompt(self, question):
        """The ids of a whole conversation up to the answer (the model page, section 7)."""
        return [BOS, TURN, *self.encode("user"), NEWLINE, NEWLINE, *self.encode(question), END, NEWLINE, TURN,
                *self.encode("model"), NEWLINE]

    def answer(self, text):
        return [*self.encode(text), END]

    def text(self, ids):
        return self.pieces.decode([i for i in ids if i > 109 or i == NEWLINE])


def settings():
    """tokenizer_config.json and special_tokens_map.json, as Gemma has them."""
    template = ("{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
                "{% endif %}{% for message in messages %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}"
                "{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\\n' + "
                "message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}"
                "{{'<start_of_turn>model\\n'}}{% endif %}")
    names = {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>",
             "additional_special_tokens": ["<start_of_turn>", "<end_of_turn>"]}
    config = {"tokenizer_class": "GemmaTokenizer", "add_bos_token": True, "add_eos_token": False, **names, "legacy": True,
              "model_max_length": 4096, "padding_side": "right", "chat_template": template}
    return json.dumps(config, indent=1), json.dumps(names, indent=1)
