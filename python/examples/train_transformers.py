"""Trains a small BERT of transformers on a corpus of this project, cell by cell as in a notebook.

Needs transformers: pip install transformers
Usage: python train_transformers.py TEXT [STEPS]     (TEXT: lines, with an empty one after each document)
"""

# %% The text, and a vocabulary of it.
import sys
import tempfile
from pathlib import Path

import torch
from electra.data import MaskedCorpus, Tokenizer, build_corpus
from torch.utils.data import DataLoader
from transformers import BertConfig, BertForMaskedLM

text = Path(sys.argv[1]).read_text(encoding="utf-8")
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 100
tokenizer = Tokenizer.train(text.splitlines(), vocab_size=2000)

# %% A corpus of packed examples. It stays on the disk and is read from there.
folder = Path(tempfile.mkdtemp(prefix="electra-example-"))
examples = build_corpus(tokenizer, text.split("\n\n"), folder / "corpus", max_length=64)
print(f"{examples} examples, {tokenizer.vocab_size} tokens in {folder}")

# %% A model.
torch.manual_seed(1)
pad = tokenizer.special_ids[0]
config = BertConfig(
    vocab_size=tokenizer.vocab_size, hidden_size=64, num_hidden_layers=2, num_attention_heads=2,
    intermediate_size=256, max_position_embeddings=64, pad_token_id=pad,
)  # fmt: skip
model = BertForMaskedLM(config)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

# %% Masked batches: functions of (seed, step, example), the same whatever `num_workers` is.
batches = MaskedCorpus(folder / "corpus", 16, steps=steps, seed=1, masking="bert")
losses = []
for step, batch in enumerate(DataLoader(batches, batch_size=None, num_workers=1)):
    loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    losses.append(loss.item())
    if step % 20 == 0:
        print(f"step {step}: loss {losses[-1]:.3f}")
print(
    f"mean loss of the first ten steps {sum(losses[:10]) / 10:.3f}, of the last ten {sum(losses[-10:]) / 10:.3f}"
)
