"""From numpy to the device without waiting for it."""
import torch


def send(array, device):
    """Pinned first: a copy from other memory would wait for all that the device has still to do."""
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if torch.device(device).type == "cuda" else tensor
