"""Softmax of soft-capped scores, with its backward: in PyTorch as the specification, as one Triton kernel each on a GPU,
where the nine passes over the largest tensors of a step became two.
"""
import torch

try:
    import triton
    import triton.language as tl
except ImportError:  # a CPU
    triton = None


def plain(scores, scale, cap, causal):
    """scores [..., rows, keys] -> their softmax, in their dtype. Causal: the rows are groups of `keys` queries."""
    capped = cap * torch.tanh(scores.float() * (scale / cap))
    if causal:
        keys = scores.shape[-1]
        mask = torch.full((keys, keys), float("-inf"), device=scores.device).triu(1)
        capped = capped + mask.repeat(scores.shape[-2] // keys, 1)
    return capped.softmax(-1).to(scores.dtype)


def capped_softmax(scores, scale, cap, causal=False):
    fast = scores.is_cuda and triton is not None
    return Capped.apply(scores, scale, cap, causal) if fast else plain(scores, scale, cap, causal)


if triton is not None:
    @triton.jit
    def tanh(x):
        return 1 - 2 / (tl.exp(2 * x) + 1)

    @triton.jit(do_not_specialize=["keys"])
    def forward_kernel(scores, out, keys, scale, cap, causal: tl.constexpr, BLOCK: tl.constexpr):
        """A row a program."""
        row, at = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK)
        inside = at < keys
        x = cap * tanh(tl.load(scores + row * keys + at, inside, other=0.0).to(tl.float32) * (scale / cap))
        seen = inside & (at <= row % keys) if causal else inside
        x = tl.where(seen, x, float("-inf"))
        e = tl.exp(x - tl.max(x, 0))
        tl.store(out + row * keys + at, e / tl.sum(e, 0), inside)

    @triton.jit(do_not_specialize=["keys"])
    def backward_kernel(scores, out, grad, result, keys, scale, cap, BLOCK: tl.constexpr):
        row, at = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK)
        inside, first = at < keys, row * keys
        p = tl.load(out + first + at, inside, other=0.0).to(tl.float32)
        g = tl.load(grad + first + at, inside, other=0.0).to(tl.float32)
        t = tanh(tl.load(scores + first + at, inside, other=0.0).to(tl.float32) * (scale / cap))
        tl.store(result + first + at, p * (g - tl.sum(p * g, 0)) * (1 - t * t) * scale, inside)

    def block(keys):
        size = triton.next_power_of_2(keys)
        return {"BLOCK": size, "num_warps": min(8, max(1, size // 256))}

    class Capped(torch.autograd.Function):
        @staticmethod
        def forward(ctx, scores, scale, cap, causal):
            scores = scores.contiguous()
            out, keys = torch.empty_like(scores), scores.shape[-1]
            forward_kernel[(scores.numel() // keys,)](scores, out, keys, scale, cap, causal, **block(keys))
            ctx.save_for_backward(scores, out)
            ctx.scale, ctx.cap = scale, cap
            return out

        @staticmethod
        def backward(ctx, grad):
            scores, out = ctx.saved_tensors
            result, keys = torch.empty_like(scores), scores.shape[-1]
            backward_kernel[(scores.numel() // keys,)](scores, out, grad.contiguous(), result, keys, ctx.scale, ctx.cap, **block(keys))
            return result, None, None, None
