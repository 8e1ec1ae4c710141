"""Turns, optimisers and clipping of make_sac_vectors.py and make_family_vectors.py; settings are named as in TOML."""

import torch


def adamw(settings, network, parameters, learning_rate, weight_decay):
    """The optimiser of "actor", "critic" or "temperature"; settings may name its betas and eps."""
    *betas, eps = settings.get(f"adam_{network}", (0.9, 0.999, 1e-8))
    return torch.optim.AdamW(parameters, lr=learning_rate, betas=tuple(betas), eps=eps, weight_decay=weight_decay)


def clip_gradient(settings, parameters):
    """One norm over all of `parameters`, as max_gradient_norm says."""
    if "max_gradient_norm" in settings:
        torch.nn.utils.clip_grad_norm_(parameters, settings["max_gradient_norm"])


def turn(settings, number):
    """Whether update `number`, from 1, is one of the critics, the policy and the targets."""
    if settings["critic_updates"] == 0:
        delay = settings["policy_delay"]
        return True, number % delay == 0, number % settings.get("target_period", delay) == 0
    critics = settings["critic_updates"]
    length = critics + settings.get("policy_updates", 1)
    place = (number - 1) % length
    return place < critics, place >= critics, place == length - 1
