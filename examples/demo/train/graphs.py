"""A step's thousands of small kernels as one launch: CUDA graphs, one a shape of batches."""
import collections

import torch

MOST = 40  # graphs kept; the one not used for longest goes first


class Replayed:
    """`work(batch)` computes losses ({name: tensor}) and their gradients. The first batch of a shape runs as it is, which also
    loads what its kernels need; the second is recorded; it and later ones are replayed. On a CPU every batch runs as it is.

    Work must not wait for the device nor copy from the CPU. All of training is on one stream of its own, the default one
    cannot record. Graphs share their memory, for one runs at a time and nobody holds its results when the next one runs.
    """

    def __init__(self, work, parameters, device):
        self.work, self.parameters, self.on = work, parameters, device.type == "cuda"
        self.seen, self.graphs = set(), collections.OrderedDict()
        self.pool = torch.cuda.graph_pool_handle() if self.on else None

    def __call__(self, batch):
        key = tuple((name, tuple(v.shape) if torch.is_tensor(v) else v) for name, v in batch.items())
        if not self.on or key not in self.seen:
            self.seen.add(key)
            return self.work(batch)
        if key not in self.graphs:
            self.graphs[key] = self.record(batch)
        self.graphs.move_to_end(key)
        return self.replay(*self.graphs[key], batch)

    def record(self, batch):
        """-> (graph, the tensors that it reads, the losses and gradients that it writes)"""
        torch.cuda.synchronize()
        if len(self.graphs) >= MOST:
            self.graphs.popitem(last=False)
        inputs = {name: v.clone() if torch.is_tensor(v) else v for name, v in batch.items()}
        graph = torch.cuda.CUDAGraph()
        graph.capture_begin(pool=self.pool, capture_error_mode="thread_local")  # other threads may use CUDA meanwhile
        try:
            losses = self.work(inputs)
        finally:
            graph.capture_end()
        return graph, inputs, losses, [p.grad for p in self.parameters]

    def replay(self, graph, inputs, losses, gradients, batch):
        for name, tensor in inputs.items():
            if torch.is_tensor(tensor):
                tensor.copy_(batch[name])
        graph.replay()
        for p, gradient in zip(self.parameters, gradients):
            p.grad = gradient
        return losses
