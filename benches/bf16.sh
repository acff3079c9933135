#!/usr/bin/env bash
# Whether training in bfloat16 on this CPU learns what float32 learns: losses on held-out real text, three seeds each.
#
#   bash benches/bf16.sh TEXT HELD_OUT      plain text, blank lines between documents; .zst and .gz are read as they are
#
# Builds the program, or takes ELECTRA=path. Results go to a new folder ./bf16; the same command goes on where it was interrupted.
# MODELS (4x256 small), OBJECTIVES (mlm electra), SEEDS (1 2 3), STEPS (5000) and THREADS (0, one a core) say what is run; with
# STEPS=20 MODELS=tiny it is over in a minute, to see that the script is right. How fast it is measures
# `cargo xtask bench peers bf16 --record bf16`.
set -euo pipefail
[ $# -eq 2 ] || { sed -n '2,9p' "$0"; exit 2; }
text=$(realpath "$1") held_out=$(realpath "$2")
if [ -z "${ELECTRA:-}" ]; then
  cargo xtask setup && cargo build --release -p electra-cli
  ELECTRA=target/release/electra
fi
electra=$(realpath "$ELECTRA")
models=${MODELS:-4x256 small} objectives=${OBJECTIVES:-mlm electra} seeds=${SEEDS:-1 2 3} steps=${STEPS:-5000}
mkdir -p bf16 && cd bf16
{ date -u; grep -m1 'model name' /proc/cpuinfo; nproc; "$electra" --version; } | tee machine.txt

# corpus NAME VOCABULARY LENGTH
corpus() {
  [ -d "$1/tokenizer" ] || "$electra" tokenizer train --vocab-size "$2" --input "$text" --output "$1/tokenizer"
  [ -d "$1/corpus" ] || "$electra" corpus build --tokenizer "$1/tokenizer" --input "$text" --max-length "$3" --output "$1/corpus"
  [ -d "$1/held-out" ] || "$electra" corpus build --tokenizer "$1/tokenizer" --input "$held_out" --max-length "$3" --output "$1/held-out"
}

for model in $models; do
  mkdir -p "$model"
  case $model in
    tiny) corpus tiny 4096 64; shape='preset = "tiny"' batch=32 layers=2 ;;
    4x256) corpus 4x256 8192 128; shape='preset = "small"' batch=32 layers=4 ;;
    small) corpus small 30522 128; shape='preset = "small"' batch=16 layers=12 ;;
    *) echo "MODELS: $model; expected tiny, 4x256 or small" >&2; exit 2 ;;
  esac
  for objective in $objectives; do
    for seed in $seeds; do
      for precision in fp32 bf16; do
        run=$model/$objective-$precision-$seed
        cat > "$run.toml" <<TOML
$shape
objective = "$objective"
seed = $seed
data = { corpus = "$model/corpus", tokenizer = "$model/tokenizer", valid = "$model/held-out" }
budget = { steps = $steps, batch = $batch }
log = { every_steps = $(((steps + 99) / 100)), valid_every_steps = $(((steps + 9) / 10)) }
device = { device = "cpu", threads = ${THREADS:-0}, precision = "$precision" }
[model.encoder]
num_hidden_layers = $layers
neighbour_heads = 2
TOML
        "$electra" pretrain --config "$run.toml" --run "$run" 2>&1 | tail -n 1
      done
    done
  done
done

python3 - "$models" "$objectives" "$seeds" <<'P' | tee curves.txt
import json, sys
from statistics import mean, stdev

models, objectives, seeds = (words.split() for words in sys.argv[1:])
print("Held-out text at the end, by seed; `within` says whether the mean in bfloat16 lies between the least and the most in float32.\n")
print("| model | objective | what | fp32 | bf16 | difference | standard deviation of fp32 | within |\n|---|---|---|---|---|---|---|---|")
for model in models:
    for objective in objectives:
        def last(precision, name):
            lines = [open(f"{model}/{objective}-{precision}-{seed}/metrics.jsonl").readlines() for seed in seeds]
            return [next(x[name] for x in map(json.loads, reversed(of_run)) if name in x) for of_run in lines]
        for name in ["valid/masked_lm_loss"] + ["valid/disc_auc"] * (objective == "electra"):
            exact, rounded = last("fp32", name), last("bf16", name)
            spread = f"{stdev(exact):.4f}" if len(exact) > 1 else "–"
            within = "yes" if min(exact) <= mean(rounded) <= max(exact) else "no"
            shown = [", ".join(f"{value:.4f}" for value in values) for values in (exact, rounded)]
            print(f"| {model} | {objective} | {name} | {' | '.join(shown)} | {mean(rounded) - mean(exact):+.4f} | {spread} | {within} |")
P
