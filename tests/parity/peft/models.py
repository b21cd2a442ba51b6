"""The two small models of the fixtures, and the cases: which of peft's methods stands where.

tests/unit/adapt declares the same models as types; names and shapes must agree.
"""

import peft
import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Linear(8, 8, bias=False)
        self.k = nn.Linear(8, 8, bias=False)
        self.v = nn.Linear(8, 8, bias=False)
        self.o = nn.Linear(8, 8)

    def forward(self, x):
        scores = self.q(x) @ self.k(x).transpose(-1, -2)
        return self.o(scores.softmax(-1) @ self.v(x))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(8)
        self.attention = Attention()
        self.scale = nn.RMSNorm(8, eps=1e-6)
        self.wi = nn.Linear(8, 16)
        self.wo = nn.Linear(16, 8, bias=False)

    def forward(self, x):
        y = x + self.attention(self.norm(x))
        return y + self.wo(self.wi(self.scale(y)).relu())


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = nn.ModuleList([Block(), Block()])
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        for block in self.block:
            x = block(x)
        return self.head(x)


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 6, 3, stride=2, bias=False)
        self.line = nn.Conv1d(6, 5, 3)

    def forward(self, x):
        y = self.second(self.first(x).relu()).relu()
        return self.line(y.flatten(2))


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 6)
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        return self.head(self.table(x))


# name -> (model, input's shape, how many words the input draws from where it is words)
BASES = {"transformer": (Transformer, (2, 5, 8), None), "conv_net": (ConvNet, (2, 2, 7, 6), None),
         "words": (Words, (3, 5), 11)}


def drawn_input(base):
    _, shape, words = BASES[base]
    return torch.randn(shape, requires_grad=True) if words is None else torch.randint(0, words, shape)


# name -> (base, configuration, whether peft can merge it)
CASES = {
    "lora": ("transformer", lambda: peft.LoraConfig(r=4, lora_alpha=8, target_modules=["q", "v"]), True),
    "lora_rank_stabilised": ("transformer", lambda: peft.LoraConfig(
        r=4, lora_alpha=6, use_rslora=True, target_modules=["q", "k", "v", "o"]), True),
    "lora_bias": ("transformer", lambda: peft.LoraConfig(
        r=2, lora_alpha=3, lora_bias=True, target_modules=["attention.o", "wi"]), True),
    "lora_patterns": ("transformer", lambda: peft.LoraConfig(
        r=4, lora_alpha=8, rank_pattern={"wi": 2}, alpha_pattern={"wi": 6}, target_modules=["q", "wi"],
        modules_to_save=["head"]), True),
    "dora": ("transformer", lambda: peft.LoraConfig(
        r=3, lora_alpha=6, use_dora=True, target_modules=["q", "v", "wi"]), True),
    "vera": ("transformer", lambda: peft.VeraConfig(r=6, target_modules=["q", "v", "wi", "wo"]), True),
    "fourier_ft": ("transformer", lambda: peft.FourierFTConfig(
        n_frequency=12, scaling=20.0, target_modules=["q", "v", "wi"]), True),
    "norm_tuning": ("transformer", lambda: peft.LNTuningConfig(target_modules=["norm", "scale"]), True),
    "ia3": ("transformer", lambda: peft.IA3Config(
        target_modules=["k", "v", "wo"], feedforward_modules=["wo"]), True),
    "ada_lora": ("transformer", lambda: peft.AdaLoraConfig(
        init_r=4, target_r=2, lora_alpha=8, total_step=10, target_modules=["q", "v"]), True),
    "beft": ("transformer", lambda: peft.BeftConfig(target_modules=["q", "v", "wi"]), False),
    "conv_lora": ("conv_net", lambda: peft.LoraConfig(
        r=2, lora_alpha=5, target_modules=["first", "second", "line"]), True),
    "conv_dora": ("conv_net", lambda: peft.LoraConfig(
        r=2, lora_alpha=2, use_dora=True, target_modules=["first", "second", "line"]), True),
    "conv_ia3": ("conv_net", lambda: peft.IA3Config(
        target_modules=["first", "second"], feedforward_modules=["second"]), True),
    "embedding_lora": ("words", lambda: peft.LoraConfig(r=3, lora_alpha=6, target_modules=["table", "head"]), True),
}


def built(base, seed=1):
    torch.manual_seed(seed)
    model = BASES[base][0]()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p), alpha=0.2)
    return model
