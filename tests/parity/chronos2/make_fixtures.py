#!/usr/bin/env python3
"""Writes the fixtures of tests/unit/models_chronos2 from Python's chronos-forecasting and peft, into the folder given
(this file's).

    python3 -m pip install -r requirements.txt
    tests/parity/chronos2/make_fixtures.py [--dummy FOLDER] [--dummy-lora FOLDER] [OUT]

    tiny/config.json, tiny/model.safetensors   a random Chronos-2 as Hugging Face saves it: 2 layers, inner width 24
                                               beside a width of 20, patches of 4, contexts of 40, horizons of 3 patches
    tiny/expected.safetensors                  in eval mode
        context [7, 50], with gaps, a short, a constant and an empty series; brief [3, 13]
        groups [7], covariates [7, 10] (NaN: not known), target [7, 10] (with gaps)
        encoded, alone, grouped, informed      hidden states; quantiles without groups, with, and with covariates, too
        brief_<patches>                        quantiles of `brief`, without groups
        loss, loss_informed                    of `target`, 3 patches; with groups, and with covariates, too
        gradient.<name>                        of loss_informed
        horizon [5, levels, 29]                the pipeline, beyond three patches: a task of two targets, a past
                                               covariate and a known one, and one of a single target
    tiny/lora/                                 a LoRA adapter on the targets of the published recipe, as peft saves it
    tiny/adapted.safetensors                   `informed`, adapted and merged
    dummy.safetensors                          context, groups, quantiles, adapted of a checkpoint folder and of an
                                               adapter for it, if they are named: those of chronos-forecasting's own
                                               tests (test/dummy-chronos2-model and its LoRA)

Everything is float32 on one thread.
"""

import argparse
import json
import pathlib

import torch
from chronos.chronos2.config import Chronos2CoreConfig
from chronos.chronos2.model import Chronos2Model
from chronos.chronos2.pipeline import Chronos2Pipeline
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file

NAN = float("nan")
TARGETS = ["self_attention.q", "self_attention.k", "self_attention.v", "self_attention.o",
           "output_patch_embedding.output_layer"]


def built():
    config = Chronos2CoreConfig(
        d_model=20, d_kv=8, d_ff=28, num_layers=2, num_heads=3, dropout_rate=0.1, initializer_factor=0.05,
        rope_theta=100.0, chronos_config={
            "context_length": 40, "input_patch_size": 4, "input_patch_stride": 4, "output_patch_size": 4,
            "max_output_patches": 3, "time_encoding_scale": 64, "use_arcsinh": True, "use_reg_token": True,
            "quantiles": [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]})
    torch.manual_seed(5)
    model = Chronos2Model(config)
    with torch.no_grad():  # numbers at which every part of the model shows in the quantiles
        for name, p in model.named_parameters():
            p.copy_(1 + 0.2 * torch.randn_like(p) if "layer_norm" in name else 0.25 * torch.randn_like(p))
            if "output_patch_embedding" in name:
                p.mul_(0.5)
    return model.eval()


def batch():
    torch.manual_seed(6)
    context = 5 * torch.randn(7, 50) + torch.linspace(-20, 20, 7)[:, None]
    context[0, 3:30:4] = NAN
    context[1, :37] = NAN  # short: padded on the left
    context[2, 22:31] = NAN  # two patches and a bit
    context[3] = 7.25
    context[4] = NAN
    context[5] *= 1e4
    groups = torch.tensor([4, 0, 4, 2, 0, 9, 4])
    covariates = torch.full((7, 10), NAN)
    covariates[1] = 3 * torch.randn(10)
    covariates[6, :7] = 20 + torch.randn(7)
    target = 5 * torch.randn(7, 10) + torch.linspace(-20, 20, 7)[:, None]
    target[0, 2:5] = NAN
    target[1] = NAN
    target[5] *= 1e4
    return context, groups, covariates, target


def compared(name):
    return (name.startswith("shared") or name.endswith("final_layer_norm.weight") or "block.1.layer" in name
            or name.startswith("input_patch_embedding.hidden_layer") or name.endswith("embedding.output_layer.bias"))


def pipeline_forecast(model):
    torch.manual_seed(9)
    past = lambda n: 3 * torch.randn(n).cumsum(0)
    tasks = [{"target": torch.stack([past(33), past(33)]), "past_covariates": {"a": past(33), "b": past(33)},
              "future_covariates": {"b": past(29)}},
             {"target": torch.stack([past(21), past(21)]), "past_covariates": {"a": past(21), "b": past(21)},
              "future_covariates": {"b": past(29)}}]
    single = past(60)
    pipeline = Chronos2Pipeline(model)
    first, second = pipeline.predict(tasks, prediction_length=29)
    third, = pipeline.predict([single], prediction_length=29)
    rows = lambda task: torch.cat([task["target"], task["past_covariates"]["a"][None],
                                   task["past_covariates"]["b"][None]])
    later = torch.full((8, 29), NAN)
    later[3], later[7] = tasks[0]["future_covariates"]["b"], tasks[1]["future_covariates"]["b"]
    return {"horizon_first": rows(tasks[0]), "horizon_second": rows(tasks[1]), "horizon_single": single,
            "horizon_covariates": later, "horizon": torch.cat([first, second, third])}


def write_tiny(out):
    model = built()
    model.save_pretrained(out)
    (out / "generation_config.json").unlink(missing_ok=True)
    context, groups, covariates, target = batch()
    brief = context[[0, 2, 6], -13:].contiguous()
    quantiles = lambda **given: model(**given).quantile_preds
    with torch.no_grad():
        expected = {"context": context, "groups": groups, "covariates": covariates, "target": target, "brief": brief,
                    "encoded": model.encode(context, group_ids=groups, num_output_patches=3)[0][0],
                    "alone": quantiles(context=context, num_output_patches=3),
                    "grouped": quantiles(context=context, group_ids=groups, num_output_patches=3),
                    "informed": quantiles(context=context, group_ids=groups, future_covariates=covariates,
                                          num_output_patches=3),
                    "brief_1": quantiles(context=brief), "brief_3": quantiles(context=brief, num_output_patches=3),
                    "loss": model(context, group_ids=groups, future_target=target, num_output_patches=3).loss,
                    **pipeline_forecast(model)}
    loss = model(context, group_ids=groups, future_covariates=covariates, future_target=target,
                 num_output_patches=3).loss
    loss.backward()
    expected |= {"loss_informed": loss.detach(),
                 **{f"gradient.{name}": p.grad for name, p in model.named_parameters() if compared(name)}}
    save_file({name: x.contiguous() for name, x in expected.items()}, out / "expected.safetensors")

    torch.manual_seed(7)
    adapted = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=TARGETS)).eval()
    given = dict(context=context, group_ids=groups, future_covariates=covariates, num_output_patches=3)
    with torch.no_grad():
        for name, p in adapted.named_parameters():
            if p.requires_grad:
                p.copy_(0.08 * torch.randn_like(p))
        adapted.save_pretrained(out / "lora")
        (out / "lora" / "README.md").unlink(missing_ok=True)
        config = json.loads((out / "lora" / "adapter_config.json").read_text())
        config["target_modules"].sort()  # a set: each run would write another order
        (out / "lora" / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True))
        of_adapted = adapted(**given).quantile_preds
        of_merged = adapted.merge_and_unload()(**given).quantile_preds
    save_file({"adapted": of_adapted.contiguous(), "merged": of_merged.contiguous()}, out / "adapted.safetensors")


def write_dummy(folder, lora, file):
    model = Chronos2Model.from_pretrained(folder, dtype=torch.float32).eval()
    torch.manual_seed(8)
    context = torch.randn(3, 70).cumsum(1)
    context[1, :20] = NAN
    groups = torch.tensor([1, 0, 1])
    given = dict(context=context, group_ids=groups, num_output_patches=2)
    expected = {"context": context, "groups": groups}
    with torch.no_grad():
        expected["quantiles"] = model(**given).quantile_preds
        if lora:
            expected["adapted"] = PeftModel.from_pretrained(model, lora).eval()(**given).quantile_preds
    save_file({name: x.contiguous() for name, x in expected.items()}, file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dummy", type=pathlib.Path)
    parser.add_argument("--dummy-lora", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path, nargs="?", default=pathlib.Path(__file__).parent)
    given = parser.parse_args()
    torch.set_num_threads(1)
    (given.out / "tiny").mkdir(parents=True, exist_ok=True)
    write_tiny(given.out / "tiny")
    if given.dummy:
        write_dummy(given.dummy, given.dummy_lora, given.out / "dummy.safetensors")


if __name__ == "__main__":
    main()
