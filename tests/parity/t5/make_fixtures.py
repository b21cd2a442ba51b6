#!/usr/bin/env python3
"""Writes the fixtures of tests/unit/models_t5 from Python's transformers and peft, into the folder given (this file's).

    tiny/config.json, tiny/model.safetensors   a random T5 as Hugging Face saves it: 2 + 2 layers, inner width 24 beside
                                               a width of 20
    tiny/expected.safetensors
        ids, mask, labels, decoder_ids         a padded batch; labels hold -100; decoder_ids are the labels shifted
        encoded, logits, loss                  in eval mode
        gradient.<name>                        of the loss
        generated                              tokens of a greedy run of 6 steps, [batch, 7]
    tiny/lora/                                 a LoRA adapter (r = 2 on q, k, v, o) as peft saves it
    tiny/adapted.safetensors                   logits adapted and merged, computed in float64
    buckets.safetensors                        bidirectional, causal: the bucket of each distance -600 .. 600
    dummy.safetensors                          ids, mask, decoder_ids, logits of a checkpoint folder, if one is named:
                                               the one of chronos-forecasting's own tests (test/dummy-chronos-model)

Everything else is float32, on one thread. Usage: make_fixtures.py [--dummy FOLDER] [OUT]
Needs torch, transformers, peft and safetensors; written with torch 2.11, transformers 5.23 and peft 0.21.2.
"""

import argparse
import json
import pathlib

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5Attention


def built():
    config = T5Config(vocab_size=40, d_model=20, d_ff=28, d_kv=8, num_heads=3, num_layers=2, num_decoder_layers=2,
                      dropout_rate=0.1, initializer_factor=0.05, decoder_start_token_id=0, pad_token_id=0,
                      eos_token_id=1)
    torch.manual_seed(5)
    model = T5ForConditionalGeneration(config)
    with torch.no_grad():  # numbers at which every part of the model shows in the logits
        for name, p in model.named_parameters():
            p.copy_(1 + 0.2 * torch.randn_like(p) if "layer_norm" in name else torch.randn_like(p))
            if "relative" not in name and "layer_norm" not in name:
                p.mul_(0.3)
    return model.eval()


def batch():
    torch.manual_seed(6)
    ids = torch.randint(2, 40, (3, 30))
    mask = torch.ones_like(ids)
    mask[0, :9] = 0  # padded on the left, as short series are
    mask[1, 20:23] = 0  # a gap
    ids[:, -1] = 1
    ids = ids * mask
    labels = torch.randint(2, 40, (3, 8))
    labels[:, -1] = 1
    labels[1, 5:] = -100
    return ids, mask, labels


def write_tiny(out):
    model = built()
    model.save_pretrained(out)
    (out / "generation_config.json").unlink(missing_ok=True)
    ids, mask, labels = batch()
    result = model(input_ids=ids, attention_mask=mask, labels=labels)
    result.loss.backward()
    decoder_ids = model._shift_right(labels)
    gradients = {f"gradient.{name}": p.grad for name, p in model.named_parameters()
                 if name == "shared.weight" or "relative" in name or name.endswith("SelfAttention.q.weight")
                 or "decoder.block.1.layer.1" in name or name.endswith("final_layer_norm.weight")}
    with torch.no_grad():
        generated = decoder_ids[:, :1]
        for _ in range(6):
            logits = model(input_ids=ids, attention_mask=mask, decoder_input_ids=generated).logits
            generated = torch.cat([generated, logits[:, -1:].argmax(-1)], 1)
    save_file({"ids": ids, "mask": mask.bool(), "labels": labels, "decoder_ids": decoder_ids,
               "encoded": result.encoder_last_hidden_state.detach().contiguous(), "logits": result.logits.detach(),
               "loss": result.loss.detach(), "generated": generated, **gradients}, out / "expected.safetensors")

    torch.manual_seed(7)
    adapted = get_peft_model(model, LoraConfig(r=2, lora_alpha=4, target_modules=["q", "k", "v", "o"])).eval()
    with torch.no_grad():
        for name, p in adapted.named_parameters():
            if p.requires_grad:
                p.copy_(0.3 * torch.randn_like(p))
        adapted.save_pretrained(out / "lora")
        (out / "lora" / "README.md").unlink(missing_ok=True)
        adapted = adapted.double()  # in float alone, its own rounding would take up what the tests allow
        of_adapted = adapted(input_ids=ids, attention_mask=mask, decoder_input_ids=decoder_ids).logits
        merged = adapted.merge_and_unload()
        of_merged = merged(input_ids=ids, attention_mask=mask, decoder_input_ids=decoder_ids).logits
    save_file({"adapted": of_adapted.float(), "merged": of_merged.float()}, out / "adapted.safetensors")


def write_buckets(file):
    distances = torch.arange(-600, 601)
    bucket = lambda both: T5Attention._relative_position_bucket(distances, bidirectional=both).to(torch.uint8)
    save_file({"bidirectional": bucket(True), "causal": bucket(False)}, file)


def write_dummy(folder, file):
    model = T5ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    torch.manual_seed(8)
    ids = torch.randint(2, 32, (2, 12))
    mask = torch.ones_like(ids)
    mask[0, :4] = 0
    decoder_ids = torch.cat([torch.zeros(2, 1, dtype=torch.long), torch.randint(2, 32, (2, 4))], 1)
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=mask, decoder_input_ids=decoder_ids).logits
    save_file({"ids": ids, "mask": mask.bool(), "decoder_ids": decoder_ids, "logits": logits}, file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dummy", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path, nargs="?", default=pathlib.Path(__file__).parent)
    given = parser.parse_args()
    torch.set_num_threads(1)
    (given.out / "tiny").mkdir(parents=True, exist_ok=True)
    write_tiny(given.out / "tiny")
    write_buckets(given.out / "buckets.safetensors")
    if given.dummy:
        write_dummy(given.dummy, given.out / "dummy.safetensors")


if __name__ == "__main__":
    main()
