"""Pre-train text encoders by replaced token detection (ELECTRA), and compare objectives fairly.

The functions here call the program ``electra``, which comes with this package and links the libtorch of this environment's
torch. ``electra.data`` has masking, tokenizer and corpora for training loops of your own, and needs no program.
"""

from electra._errors import ElectraError
from electra._program import program, run
from electra._runs import Run, pretrain
from electra._tasks import Detection, detect, embed, finetune

__all__ = ["Detection", "ElectraError", "Run", "detect", "embed", "finetune", "pretrain", "program", "run"]
