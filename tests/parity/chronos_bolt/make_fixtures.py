#!/usr/bin/env python3
"""Writes the fixtures of tests/unit/models_bolt from Python's chronos-forecasting and peft, into the folder given
(this file's).

    tiny/config.json, tiny/model.safetensors   a random Chronos-Bolt: 2 + 2 layers, inner width 24 beside a width of 20,
                                               5 quantiles of 12 steps, contexts of 48 values in patches of 8
    tiny/expected.safetensors
        context, target                        3 series of 43 values with gaps, one whole patch among them, one padded
                                               in front; 9 steps that follow, with gaps
        embeddings, mean, deviation            of the encoder
        quantiles, loss, gradient.<name>       in eval mode
        long, long_quantiles                   contexts of 70 values, longer than the model reads
        odd, odd_quantiles                     a constant series, one of gaps, one of a single value
        pipeline.<i>, pipeline                 series of 5, 43 and 60 values, and 31 steps of each: beyond the
                                               prediction length
    tiny/lora/                                 a LoRA adapter (r = 2 on q, v and the output layers) as peft saves it
    tiny/adapted.safetensors                   quantiles adapted and merged
    overlapping/...                            model and quantiles with patches of 8 every 4 values, and without REG
    dummy.safetensors                          context, target, quantiles, loss of a checkpoint folder, if one is named:
                                               the one of chronos-forecasting's own tests (test/dummy-chronos-bolt-model)

Everything is float32 on one thread. Usage: make_fixtures.py [--dummy FOLDER] [OUT]
Needs torch, transformers, peft, safetensors and chronos-forecasting; written with torch 2.11, transformers 5.23,
peft 0.21.2 and chronos-forecasting 2.3.2.
"""

import argparse
import pathlib
import warnings

import torch
from chronos.chronos_bolt import ChronosBoltModelForForecasting, ChronosBoltPipeline
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import T5Config

GAP = float("nan")


def built(width, own):
    config = T5Config(vocab_size=2 if own["use_reg_token"] else 1, d_model=width, d_ff=28, d_kv=8, num_heads=3,
                      num_layers=2, num_decoder_layers=2, dropout_rate=0.1, initializer_factor=0.05,
                      decoder_start_token_id=0, pad_token_id=0, eos_token_id=1, feed_forward_proj="relu")
    config.chronos_config = {"prediction_length": 12, "input_patch_size": 8, **own}
    config.architectures = ["ChronosBoltModelForForecasting"]
    torch.manual_seed(5)
    model = ChronosBoltModelForForecasting(config)
    with torch.no_grad():  # numbers at which every part of the model shows in the quantiles
        for name, p in model.named_parameters():
            p.copy_(1 + 0.2 * torch.randn_like(p) if "layer_norm" in name else torch.randn_like(p))
            if "relative" not in name and "layer_norm" not in name:
                p.mul_(0.3)
    return model.eval()


def series(count, length):
    return 3 + torch.cumsum(torch.randn(count, length), 1) * torch.tensor([[1.0], [0.01], [100.0]])[:count]


def batch(length, steps):
    torch.manual_seed(6)
    x = series(3, length + steps)
    x[0, :13] = GAP  # padded in front, as a shorter series is
    x[1, 19:length - 8] = GAP  # a gap that holds a whole patch
    x[2, ::5] = GAP
    x[1, length + 2:length + 4] = GAP
    return x[:, :length].clone(), x[:, length:].clone()


def write_tiny(out):
    out.mkdir(parents=True, exist_ok=True)
    model = built(20, {"context_length": 48, "input_patch_stride": 8, "use_reg_token": True,
                       "quantiles": [0.1, 0.25, 0.5, 0.75, 0.9]})
    model.save_pretrained(out)
    context, target = batch(43, 9)
    result = model(context=context, target=target.clone())
    result.loss.backward()
    kept = ("shared.weight", "relative_attention_bias.weight", "final_layer_norm.weight", "patch_embedding",
            "encoder.block.1.layer.0.SelfAttention.q.weight", "decoder.block.1.layer.1.EncDecAttention.k.weight")
    gradients = {f"gradient.{name}": p.grad for name, p in model.named_parameters()
                 if any(part in name for part in kept) and p.grad is not None}
    with torch.no_grad():
        pipeline = ChronosBoltPipeline(model)
        embeddings, (mean, deviation) = pipeline.embed(context)
        long = series(2, 70)
        odd = series(3, 20)
        odd[0] = 7
        odd[1] = GAP
        odd[2, :19] = GAP
        pasts = [series(1, n)[0] for n in (5, 43, 60)]
        pasts[1][7:20] = GAP
        save_file({"context": context, "target": target, "embeddings": embeddings, "mean": mean,
                   "deviation": deviation, "quantiles": result.quantile_preds.detach(), "loss": result.loss.detach(),
                   "long": long, "long_quantiles": model(context=long).quantile_preds,
                   "odd": odd, "odd_quantiles": model(context=odd).quantile_preds,
                   **{f"pipeline.{i}": x for i, x in enumerate(pasts)},
                   "pipeline": pipeline.predict(pasts, prediction_length=31).contiguous(), **gradients},
                  out / "expected.safetensors")
    write_adapted(model, context, out)


def write_adapted(model, context, out):
    model.get_input_embeddings = lambda: model.shared  # which peft asks for, and the package does not say
    torch.manual_seed(7)
    adapted = get_peft_model(model, LoraConfig(r=2, lora_alpha=4, target_modules=["q", "v", "output_layer"])).eval()
    with torch.no_grad():
        for p in adapted.parameters():
            if p.requires_grad:
                p.copy_(0.3 * torch.randn_like(p))
        adapted.save_pretrained(out / "lora")
        (out / "lora" / "README.md").unlink(missing_ok=True)
        of_adapted = adapted.base_model.model(context=context).quantile_preds
        of_merged = adapted.merge_and_unload()(context=context).quantile_preds
    save_file({"adapted": of_adapted, "merged": of_merged}, out / "adapted.safetensors")


def write_overlapping(out):
    out.mkdir(parents=True, exist_ok=True)
    model = built(8, {"context_length": 40, "input_patch_stride": 4, "use_reg_token": False,
                      "quantiles": [0.1, 0.5, 0.9]})
    model.save_pretrained(out)
    context, _ = batch(43, 9)
    with torch.no_grad():
        save_file({"context": context, "quantiles": model(context=context).quantile_preds},
                  out / "expected.safetensors")


def write_dummy(folder, file):
    model = ChronosBoltModelForForecasting.from_pretrained(folder, dtype=torch.float32).eval()
    context, target = batch(100, 30)
    with torch.no_grad():
        result = model(context=context, target=target.clone())
    save_file({"context": context, "target": target, "quantiles": result.quantile_preds, "loss": result.loss}, file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dummy", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path, nargs="?", default=pathlib.Path(__file__).parent)
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # on long horizons, which are asked for
    write_tiny(given.out / "tiny")
    write_overlapping(given.out / "overlapping")
    if given.dummy:
        write_dummy(given.dummy, given.out / "dummy.safetensors")


if __name__ == "__main__":
    main()
