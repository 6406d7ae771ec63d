"""Muon (Jordan et al. 2024): momentum whose step is made orthogonal; for matrices. AdamW takes the rest."""
import torch

WIDTHS = (256, 576, 832)  # matrices are padded with zeros to one of these: few products of many matrices, not many of few


def orthogonal(g, steps=5):
    """Newton-Schulz iteration towards the nearest orthogonal matrix; g [N, rows, columns], rows <= columns.
    Rows and columns of zeros stay zeros and change nothing else."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        s = x @ x.transpose(1, 2)
        x = torch.baddbmm(x, torch.baddbmm(s, s, s, beta=b, alpha=c), x, beta=a)
    return x.to(g.dtype)


def flat(p):
    """A view of a parameter or gradient as a matrix with no more rows than columns."""
    m = p.flatten(1)
    return m.t() if m.shape[0] > m.shape[1] else m


def width_of(p):
    longest = max(flat(p).shape)
    return next((w for w in WIDTHS if w >= longest), longest)


def corners(stack, matrices):
    """Views of the filled part of every padded matrix in `stack`."""
    return [padded[:m.shape[0], :m.shape[1]] for padded, m in zip(stack.unbind(), matrices)]


class Muon(torch.optim.Optimizer):
    def __init__(self, parameters, lr, momentum=0.95, decay=0.05):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "decay": decay})
        self.lengths = {}  # of the steps of the matrices that are stepped together

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            by_width = {}
            for p in group["params"]:
                if p.grad is not None:
                    by_width.setdefault(width_of(p), []).append(p)
            for width, same in by_width.items():
                self.step_same(same, width, group)

    def step_same(self, same, width, group):
        matrices, gradients = [flat(p) for p in same], [p.grad for p in same]
        momenta = [self.momentum(p) for p in same]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        torch._foreach_lerp_(gradients, momenta, group["momentum"])
        stack = same[0].new_zeros(len(same), max(m.shape[0] for m in matrices), width)
        torch._foreach_copy_(corners(stack, matrices), [flat(g) for g in gradients])
        update = orthogonal(stack) * self.lengths_of(matrices)
        torch._foreach_mul_(same, 1 - group["lr"] * group["decay"])
        torch._foreach_add_(matrices, corners(update, matrices), alpha=-group["lr"])

    def momentum(self, p):
        state = self.state[p]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(p)
        return state["momentum"]

    def lengths_of(self, matrices):
        key = tuple(m.shape for m in matrices)
        if key not in self.lengths:
            lengths = [0.2 * max(m.shape) ** 0.5 for m in matrices]
            self.lengths[key] = torch.tensor(lengths, device=matrices[0].device)[:, None, None]
        return self.lengths[key]


def optimisers(parameters, lr):
    """[(name, parameter)] -> [Muon, AdamW] for what needs a gradient."""
    matrices, rest = [], []
    for name, p in parameters:
        if p.requires_grad:
            (matrices if p.ndim >= 2 and "embed" not in name and "helper" not in name else rest).append(p)
    return [Muon(matrices, lr), torch.optim.AdamW(rest, 0.7 * lr, (0.9, 0.98), weight_decay=0.0, fused=rest[0].is_cuda)]
