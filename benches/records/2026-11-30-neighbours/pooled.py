import json, torch

torch.set_num_threads(1)
from sentence_transformers import SentenceTransformer

m = SentenceTransformer("model/encoder", device="cpu")
print(m)
v = m.encode(open("texts.txt").read().splitlines())
w = torch.tensor([json.loads(l) for l in open("vectors.jsonl")])
print("largest difference", (torch.tensor(v) - w).abs().max().item(), "of", w.abs().max().item())
