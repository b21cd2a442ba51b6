#!/usr/bin/env python3
"""Writes the fixtures of tests/unit/adapt from Python's peft, into the folder given (fixtures/ beside this file).

    base_<model>.safetensors  the plain model's numbers
    <case>/                   what peft saved: adapter_config.json, adapter_model.safetensors; and
    <case>/expected.safetensors
        input, direction      output's weights in the loss (output * direction).sum()
        output, merged        of the adapted and of the merged model
        gradient.input (of numbers, not of words), gradient.<path>.<suffix>   of the loss, for every adapter parameter
        trainable             how many numbers train
    allocator.safetensors     a run of AdaLoRA's rank allocator

Everything is float32 on one thread. Run by `tests/parity/peft/run`.
"""

import pathlib
import shutil
import sys

import peft
import torch
from safetensors.torch import save_file

import models


def file_name(name):
    """base_model.model.block.0.attention.q.lora_A.default.weight -> block.0.attention.q.lora_A.weight"""
    name = name.removeprefix("base_model.model.").replace(".default", "").replace(".modules_to_save", "")
    return name.removesuffix(".weight") if "lora_magnitude_vector" in name else name


def write_case(folder, name):
    base, configuration, merges = models.CASES[name]
    model = models.built(base)
    torch.manual_seed(len(name) + 10)
    adapted = peft.get_peft_model(model, configuration())
    with torch.no_grad():
        for p in adapted.parameters():
            if p.requires_grad:
                p.add_(torch.randn_like(p), alpha=0.3)
    if name == "ada_lora":  # some directions are gone, and the file leaves them out
        pattern = {}
        for key, p in adapted.base_model.model.named_parameters():
            if "lora_E" in key:
                kept = [True] * p.shape[0]
                kept[len(pattern) % p.shape[0]] = False
                kept[-1] = len(pattern) % 2 == 0
                pattern[key] = kept
                with torch.no_grad():
                    p.masked_fill_(~torch.tensor(kept).unsqueeze(1), 0.0)
        adapted.peft_config["default"].rank_pattern = pattern
    adapted.eval()
    x = models.drawn_input(base)
    y = adapted(x)
    direction = torch.randn_like(y)
    (y * direction).sum().backward()
    trainable = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    expected = {"input": x.detach(), "direction": direction, "output": y.detach(), "trainable": torch.tensor(trainable)}
    if x.grad is not None:
        expected["gradient.input"] = x.grad
    for key, p in adapted.named_parameters():
        if p.requires_grad:
            expected["gradient." + file_name(key)] = p.grad * (p != 0) if "lora_E" in key else p.grad
    adapted.save_pretrained(folder / name)
    (folder / name / "README.md").unlink(missing_ok=True)
    if merges:
        merged = adapted.merge_and_unload()
        expected["merged"] = merged(x.detach()).detach()
    save_file({k: v.contiguous() for k, v in expected.items()}, folder / name / "expected.safetensors")


class Three(torch.nn.Module):
    def __init__(self):
        super().__init__()
        for name in "abc":
            self.add_module(name, torch.nn.Linear(6, 5))


def write_allocator(folder):
    torch.manual_seed(5)
    total = 14
    config = peft.AdaLoraConfig(init_r=4, target_r=2, tinit=2, tfinal=3, deltaT=2, total_step=total, lora_alpha=8,
                                target_modules=["a", "b", "c"])
    adapted = peft.get_peft_model(Three(), config)
    parameters = {file_name(n): p for n, p in adapted.named_parameters() if p.requires_grad}
    out = {}
    with torch.no_grad():
        for n, p in parameters.items():
            p.copy_(torch.randn_like(p))
            out["start." + n] = p.detach().clone()
    penalty = [torch.norm((p @ p.T if "lora_A" in n else p.T @ p) - torch.eye(4), p="fro")
               for n, p in parameters.items() if "lora_E" not in n]
    out["penalty"] = (sum(penalty) / len(penalty)).detach()
    for t in range(total):
        with torch.no_grad():
            for n, p in parameters.items():
                p.grad = torch.randn_like(p)
                out[f"{t}.gradient." + n] = p.grad.clone()
                p.sub_(p.grad, alpha=0.05)
        adapted.base_model.update_and_allocate(t)
        for n, p in parameters.items():
            if "lora_E" in n:
                out[f"{t}.after." + n] = p.detach().clone()
    save_file(out, folder / "allocator.safetensors")


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "fixtures")
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    for base in models.BASES:
        model = models.built(base)
        save_file(model.state_dict(), folder / f"base_{base}.safetensors")
    for name in models.CASES:
        shutil.rmtree(folder / name, ignore_errors=True)
        write_case(folder, name)
        print("written:", name)
    write_allocator(folder)


if __name__ == "__main__":
    main()
