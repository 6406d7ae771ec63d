"""Many answers about one clip at a time, token by token: the keys and values of the text so far are kept, as the product does.

R questions of one encoded clip; T = the longest prompt and its answer. For evaluation on a CPU, where trained.Trained.answer reads everything anew.
"""
import torch

from model import rotate, softcap, turns
from tokenizer import END
from towers import together


class Reader:
    def __init__(self, model, watched, most_tokens):
        self.model, self.s, self.most = model, model.sizes, most_tokens
        self.image, self.audio, self.weight = watched

    def answers(self, prompts):
        """[ids of a prompt] -> [ids of its greedy answer, END included if it came]"""
        length = torch.tensor([len(p) for p in prompts])
        rows, longest = len(prompts), int(length.max())
        ids = torch.zeros(rows, longest, dtype=torch.long)
        for row, prompt in zip(ids, prompts):
            row[:len(prompt)] = torch.tensor(prompt)
        self.begin(rows, longest + self.most)
        at = torch.arange(longest).expand(rows, -1)
        logits = self.read(ids, at).gather(1, (length - 1)[:, None, None].expand(-1, 1, self.s.vocabulary))[:, 0]
        found, open_rows = [[] for _ in prompts], set(range(rows))
        while open_rows and len(found[min(open_rows)]) < self.most:
            picked = logits.argmax(-1)
            for row in list(open_rows):
                found[row].append(int(picked[row]))
                if found[row][-1] == END:
                    open_rows.remove(row)
            logits = self.read(picked[:, None], length[:, None])[:, 0]
            length = length + 1
        return found

    def begin(self, rows, size):
        shape = (rows, self.s.kv_heads, size, self.s.head)
        self.kept = [(torch.zeros(shape), torch.zeros(shape)) for _ in self.model.model.layers]
        self.cos, self.sin = turns(size, self.s.head, "cpu")

    def read(self, ids, at):
        """Token ids [R, N] at positions [R, N] -> logits [R, N, vocabulary]"""
        m = self.model.model
        x = m.embed_tokens(ids) * self.s.hidden ** 0.5
        for i, layer in enumerate(m.layers):
            a = layer.self_attn
            q, k, v = together(layer.input_layernorm(x), a.q_proj, a.k_proj, a.v_proj)
            total = self.own(a, q, k, v, at, *self.kept[i])
            asking = a.clipwise(q, 1)
            for keys, values, weight in ((*self.image[i], 1.0), (*self.audio[i], self.weight)):
                total = total + a.cross(asking, keys, values, x.shape) * weight
            x = layer.feed(x + layer.post_attention_layernorm(a.o_proj(total)))
        return softcap(m.norm(x) @ m.embed_tokens.weight.t(), 30.0)

    def own(self, a, q, k, v, at, keys, values):
        """Text reads the text so far: its own positions and those before."""
        rows, n = at.shape
        cos, sin = self.cos[at], self.sin[at]
        index = at[:, None, :, None].expand(-1, self.s.kv_heads, -1, self.s.head)
        keys.scatter_(2, index, rotate(a.keys(k), cos[:, None], sin[:, None]))
        values.scatter_(2, index, a.keys(v))
        used = int(at.max()) + 1
        asking = rotate(a.group(q), cos[:, None, None], sin[:, None, None])
        scores = torch.einsum("rkgnd,rktd->rkgnt", asking, keys[:, :, :used])
        hidden = torch.arange(used) > at[..., None]
        capped = (50.0 * torch.tanh(scores * (self.s.head ** -0.5 / 50.0))).masked_fill(hidden[:, None, None], float("-inf"))
        out = torch.einsum("rkgnt,rktd->rkgnd", capped.softmax(-1), values[:, :, :used])
        return a.ungroup(out.flatten(2, 3), rows, n)
