import json, numpy as np, onnxruntime as ort, torch
from transformers import AutoTokenizer, AutoModelForPreTraining, AutoModel

torch.set_num_threads(1)
tok = AutoTokenizer.from_pretrained("model")
b = tok(open("texts.txt").read().splitlines(), padding=True, return_tensors="pt")
with torch.no_grad():
    want = AutoModel.from_pretrained("model/encoder")(**b).last_hidden_state.numpy()
s = ort.InferenceSession("onnx/model.onnx")
names = [i.name for i in s.get_inputs()]
got = s.run(None, {n: b[n].numpy() for n in names})[0]
print(names, "states: largest difference", np.abs(got - want).max(), "of", np.abs(want).max())
