"""Training steps in PyTorch: the peer of benches/src/bin/step.rs, on the batches that it wrote.

    python train_steps.py FOLDER --peer eager|best|compiled [--bf16] [--steps N] [--threads N]
    python train_steps.py FOLDER --check

FOLDER holds model.json and batches.safetensors of `step --save-batches`. Prints a JSON object with the
median time of the timed steps, the memory at most during them, and the losses of the first and the last. Two
steps come before; with them goes the time that compiling takes, `warm_up_s`.

eager      transformers' models in the loop that people use (eager_models.py)
best       the best PyTorch that can be written in a day (best_models.py)
           both for a ModernBERT in modernbert_models.py
compiled   the same, the loss function compiled

With `--bf16` the loss is computed under autocast to bfloat16.

`--check` compares the losses and the gradients' norm of the two models with dropout 0, the same weights and
the same samples.
"""

import argparse
import json
import time
from pathlib import Path

import best_models
import eager_models
import measure
import modernbert_models
import torch
from safetensors.torch import load_file

WARM_UP = 2
LEARNING_RATE = 1e-4


def read(folder):
    model = json.loads((folder / "model.json").read_text())
    tensors = load_file(folder / "batches.safetensors")
    count = 1 + max(int(name.split(".")[0]) for name in tensors)
    batches = []
    for at in range(count):
        prefix = f"{at}."
        batch = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
        masked = torch.zeros_like(batch["attention_mask"])
        valid = batch["masked_valid"]
        rows = torch.arange(len(masked)).unsqueeze(1).expand_as(valid)
        masked[rows[valid], batch["masked_positions"][valid]] = True
        batch["masked"] = masked
        real = batch["attention_mask"]
        batch["mask"] = None if real.all() else real[:, None, None, :]
        batches.append(batch)
    return model, batches


def best_optimizer(model):
    return torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, fused=True)


def eager_optimizer(model):
    return torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)


def train(model, batches, peer, bf16, steps):
    model.train()
    optimizer = eager_optimizer(model) if peer == "eager" else best_optimizer(model)
    foreach = None if peer == "eager" else True
    loss_of = torch.compile(model, dynamic=False) if peer == "compiled" else model
    seconds, losses, warm_up = [], [], 0.0
    for step in range(WARM_UP + steps):
        batch = batches[step % len(batches)]
        if step == WARM_UP:
            measure.reset_peak_memory()
        started = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = loss_of(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=foreach)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        took = time.perf_counter() - started
        if step < WARM_UP:
            warm_up += took
        else:
            seconds.append(took)
            losses.append(loss.detach())
    step_s, quartiles = measure.summary(seconds)
    tokens = batches[0]["input_ids"].numel()
    report = {
        "step_s": step_s,
        "step_s_quartiles": quartiles,
        "tokens_per_s": tokens / step_s,
        "peak_memory_bytes": measure.peak_memory(),
        "warm_up_s": warm_up,
        "loss_first": losses[0].item(),
        "loss_last": losses[-1].item(),
        "parameters": count(model),
    }
    print(json.dumps(report))


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


def norm(model):
    grads = [parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None]
    return torch.cat(grads).double().norm().item()


def models(encoder):
    """The eager models and the best, by objective."""
    if encoder.get("architecture") == "modernbert":
        return modernbert_models.EAGER, modernbert_models.BEST
    return eager_models.MODELS, best_models.MODELS


def check(encoder, generator, objective, batches):
    """Both models with the same weights; fails where a loss or the gradient differs."""
    for config in (encoder, generator):
        config.update(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    eager, best = (of[objective](encoder, generator).train() for of in models(encoder))
    best.load(eager)
    if count(eager) != count(best):
        raise SystemExit(f"{objective}: {count(eager)} and {count(best)} parameters")
    for batch in batches[:2]:
        samples = torch.randint(5, encoder["vocab_size"], batch["masked_positions"].shape)
        losses, norms = [], []
        for model in (eager, best):
            model.zero_grad()
            loss = model(batch, samples)
            loss.backward()
            losses.append(loss.item())
            norms.append(norm(model))
        for what, (one, other) in (("losses", losses), ("gradient norms", norms)):
            print(f"{objective}: {what} {one:.7f} {other:.7f}")
            if abs(one - other) > 1e-5 * max(1.0, abs(one)):
                raise SystemExit(f"{objective}: the two models' {what} differ: {one} and {other}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peer", choices=["eager", "best", "compiled"], default="eager")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    measure.use(options.threads)
    model, batches = read(options.folder)
    encoder, generator, objective = model["encoder"], model["generator"], model["objective"]
    for config in (encoder, generator):
        if config.get("architecture") == "modernbert":
            config["length"] = batches[0]["input_ids"].shape[1]
    if options.check:
        check(encoder, generator, objective, batches)
        return
    eager, best = models(encoder)
    if options.peer == "eager":
        network = eager[objective](encoder, generator)
    else:
        network = best_models.initialise(best[objective](encoder, generator))
    train(network, batches, options.peer, options.bf16, options.steps)


if __name__ == "__main__":
    main()
