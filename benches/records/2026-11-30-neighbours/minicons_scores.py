import torch

torch.set_num_threads(1)
from minicons import scorer

m = scorer.MaskedLMScorer("model/generator", "cpu")
print(
    m.sequence_score(
        ["the king was born in london", "king the born was london in"], PLL_metric="within_word_l2r"
    )
)
