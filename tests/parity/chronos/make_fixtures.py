#!/usr/bin/env python3
"""Writes the fixtures of tests/unit/chronos from Python's chronos-forecasting and transformers, into the folder given
(fixtures/ beside this file).

    python3 -m pip install -r requirements.txt
    tests/parity/chronos/make_fixtures.py [folder]

tokens_<vocabulary>.safetensors   the tokenizer with 4096 tokens, and with 32 and a context of 16
    centres, boundaries
    context [series, T], padded in front with NaN; ids, mask, scale
    future [series, H]; label_ids, label_mask, labels (-100 where masked)
    samples [series, S, H] int64; values: what they are decoded to
choice.safetensors                what transformers' samplers keep of rows of logits
    logits [rows, vocabulary]; kept.<k>.<p>.<temperature> [rows, vocabulary] bool, probabilities.<same> [rows, vocabulary]
long_horizon.safetensors          the pipeline with a model of rules in place of a network (see `rules`)
    context, forecast [series, samples, horizon], quantiles [series, horizon, levels], levels, mean [series, horizon]

A tokenizer of vectorised fused multiply-adds is assumed, as LibTorch has it on x86-64 processors since 2013 (AVX2).
"""

import logging
import pathlib
import sys

import torch
from chronos.chronos import ChronosConfig, ChronosPipeline, MeanScaleUniformBins
from safetensors.torch import save_file
from transformers.generation.logits_process import (
    LogitsProcessorList, MinNewTokensLengthLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

NAN = float("nan")


def configured(tokens, context, horizon):
    return ChronosConfig(
        tokenizer_class="MeanScaleUniformBins", tokenizer_kwargs={"low_limit": -15.0, "high_limit": 15.0},
        context_length=context, prediction_length=horizon, n_tokens=tokens, n_special_tokens=2, pad_token_id=0,
        eos_token_id=1, use_eos_token=True, model_type="seq2seq", num_samples=20, temperature=1.0, top_k=50, top_p=1.0)


def series(generator):
    """Series of all kinds, of different lengths."""
    def normal(n):
        return torch.randn(n, generator=generator, dtype=torch.float64)

    gaps = normal(40) * 3 + 10
    gaps[::7] = NAN
    spike = torch.full((100,), 0.01, dtype=torch.float64)
    spike[50] = -1e6
    return [
        torch.tensor([1, 2, 3, NAN, 0, -4], dtype=torch.float64), torch.zeros(9, dtype=torch.float64),
        torch.full((12,), NAN, dtype=torch.float64), torch.full((7,), 7.25, dtype=torch.float64), gaps,
        normal(540).cumsum(0), torch.cat([torch.full((30,), NAN, dtype=torch.float64), normal(20)]), spike,
        normal(33) * 1e-30, normal(33) * 1e30, torch.tensor([5.0], dtype=torch.float64),
        torch.arange(530, dtype=torch.float64)]


def stacked(rows):
    longest = max(len(row) for row in rows)
    return torch.stack([torch.cat([torch.full((longest - len(row),), NAN, dtype=torch.float64), row]) for row in rows])


def write_tokens(folder, tokens, length, horizon):
    generator = torch.Generator().manual_seed(tokens)
    config = configured(tokens, length, horizon)
    tokenizer = MeanScaleUniformBins(-15.0, 15.0, config)
    context = stacked(series(generator))[:, -(length + 28):].contiguous()
    ids, mask, scale = tokenizer.context_input_transform(context)
    future = torch.randn(len(context), horizon, generator=generator, dtype=torch.float64) * 4 * scale.unsqueeze(1)
    future[0, 1], future[5, :] = NAN, NAN
    future[1, 0], future[2, 0] = 1e25, -1e25
    label_ids, label_mask = tokenizer.label_input_transform(future, scale)
    labels = label_ids.clone()
    labels[label_mask == 0] = -100
    samples = torch.randint(0, tokens, (len(context), 3, horizon), generator=generator)
    save_file({"centres": tokenizer.centers, "boundaries": tokenizer.boundaries, "context": context, "ids": ids,
               "mask": mask, "scale": scale, "future": future, "label_ids": label_ids, "label_mask": label_mask,
               "labels": labels, "samples": samples, "values": tokenizer.output_transform(samples, scale)},
              folder / f"tokens_{tokens}.safetensors")


def write_choice(folder):
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(6, 200, generator=generator) * 3
    logits[1] = -((torch.arange(200) - 120.0) / 20) ** 2  # smooth, as trained models give them
    logits[2, 10:30] = logits[2].max()  # ties
    logits[3] = 0.5
    tensors = {"logits": logits.clone()}
    for k, p, temperature in [(50, 1.0, 1.0), (1, 1.0, 1.0), (50, 0.9, 1.0), (0, 0.5, 1.0), (0, 1.0, 2.0),
                              (5, 0.3, 0.5), (199, 0.99, 1.5)]:
        ban = MinNewTokensLengthLogitsProcessor(1, 9, 1, device="cpu")  # id 1 ends the sequence, nine steps to go
        steps = LogitsProcessorList([ban, TemperatureLogitsWarper(temperature)])
        if k:
            steps.append(TopKLogitsWarper(k))
        if p < 1:
            steps.append(TopPLogitsWarper(p))
        left = steps(torch.zeros(len(logits), 1, dtype=torch.int64), logits.clone())
        name = f"{k}.{p:g}.{temperature:g}"
        tensors[f"kept.{name}"] = left > -torch.inf
        tensors[f"probabilities.{name}"] = left.softmax(-1)
    save_file(tensors, folder / "choice.safetensors")


class rules:
    """In place of a network: at step t of a stretch (from 0), sample s of a series whose last token was x says
    3 + (x + 7 s + 11 t - 2) mod (tokens - 3)."""

    model = None
    device = "cpu"

    def __init__(self, config):
        self.config = config

    def __call__(self, ids, mask, horizon, samples, *_):
        last = ids[:, -2].reshape(-1, 1, 1)  # the end token stands behind it
        s, t = torch.arange(samples).reshape(1, -1, 1), torch.arange(horizon).reshape(1, 1, -1)
        return 3 + (last + 7 * s + 11 * t - 2) % (self.config.n_tokens - 3)


def write_long_horizon(folder):
    config = configured(4096, 32, 8)
    pipeline = ChronosPipeline(MeanScaleUniformBins(-15.0, 15.0, config), rules(config))
    generator = torch.Generator().manual_seed(9)
    rows = [torch.randn(40, generator=generator, dtype=torch.float64) * 5,
            torch.randn(10, generator=generator, dtype=torch.float64) + 3, torch.zeros(3, dtype=torch.float64)]
    levels = [0.0, 0.1, 0.25, 0.5, 0.9, 1.0]
    forecast = pipeline.predict(rows, prediction_length=21, num_samples=6)
    quantiles, mean = pipeline.predict_quantiles(rows, prediction_length=21, num_samples=6, quantile_levels=levels)
    save_file({"context": stacked(rows), "forecast": forecast, "quantiles": quantiles.contiguous(),
               "levels": torch.tensor(levels, dtype=torch.float64), "mean": mean.contiguous()},
              folder / "long_horizon.safetensors")


def main():
    here = pathlib.Path(__file__).resolve().parent
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here / "fixtures"
    folder.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    write_tokens(folder, 4096, 512, 16)
    write_tokens(folder, 32, 16, 4)
    write_choice(folder)
    write_long_horizon(folder)


if __name__ == "__main__":
    main()
