"""Plain gradient descent, for tests that look at a model's single step."""

import torch


def plain_descent(model: torch.nn.Module, rate: float = 0.1) -> dict[str, torch.optim.Optimizer]:
    """An optimizer of each part of a model."""
    return {
        name: torch.optim.SGD([weights for network in networks for weights in network.parameters()], rate)
        for name, networks in model.parts().items()
    }
