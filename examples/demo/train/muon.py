"""Muon (Jordan et al. 2024): momentum whose step is made orthogonal; for matrices. AdamW takes the rest."""
import torch


def orthogonal(g, steps=5):
    """Newton-Schulz iteration towards the nearest orthogonal matrix; g [N, rows, columns]."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.bfloat16()
    tall = x.shape[1] > x.shape[2]
    x = x.transpose(1, 2) if tall else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        s = x @ x.transpose(1, 2)
        x = a * x + (b * s + c * s @ s) @ x
    return (x.transpose(1, 2) if tall else x).to(g.dtype)


class Muon(torch.optim.Optimizer):
    def __init__(self, parameters, lr, momentum=0.95, decay=0.05):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            by_shape = {}
            for p in group["params"]:
                if p.grad is not None:
                    by_shape.setdefault((p.shape[0], p[0].numel()), []).append(p)
            for (rows, columns), same in by_shape.items():
                self.step_same(same, rows, columns, group)

    def step_same(self, same, rows, columns, group):
        gradient = torch.stack([p.grad.view(rows, columns) for p in same])
        state = self.state[same[0]]
        key = f"momentum{len(same)}"
        if key not in state:
            state[key] = torch.zeros_like(gradient)
        state[key].lerp_(gradient, 1 - group["momentum"])
        update = orthogonal(gradient.lerp(state[key], group["momentum"]))
        scale = group["lr"] * 0.2 * max(rows, columns) ** 0.5
        torch._foreach_mul_(same, 1 - group["lr"] * group["decay"])
        torch._foreach_add_(same, [u.view_as(p) for u, p in zip(update, same)], alpha=-scale)


def optimisers(parameters, lr):
    """[(name, parameter)] -> [Muon, AdamW] for what needs a gradient."""
    matrices, rest = [], []
    for name, p in parameters:
        if p.requires_grad:
            (matrices if p.ndim >= 2 and "embed" not in name and "helper" not in name else rest).append(p)
    return [Muon(matrices, lr), torch.optim.AdamW(rest, 0.7 * lr, (0.9, 0.98), weight_decay=0.0, fused=rest[0].is_cuda)]
