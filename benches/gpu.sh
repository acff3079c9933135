#!/usr/bin/env bash
# Checks and times this build on a GPU.
#
#   bash benches/gpu.sh                 in a checkout, which it builds first
#   bash gpu.sh ELECTRA [TESTS]         without a network, Rust or the rest of the checkout
#
# ELECTRA is the program, TESTS the binary of electra-torch's tests (`cargo test -p electra-torch --no-run` names it,
# tests/it); both may be stripped, and come from a machine without a GPU. There libtorch 2.11.0 is found where python3's torch
# is, unless LD_LIBRARY_PATH names it. Results go to a new folder ./gpu, and the exit code is 1 if anything failed. STEPS is how
# many steps a rate is taken over (200); DEVICE=cpu runs everything small and without a GPU, to see that the script is right.
# No run may take longer than TIMEOUT seconds (60), so that all but the build stays within ten minutes unless it is very slow.
set -u
if [ $# -eq 0 ]; then
  cargo xtask setup && cargo build --release -p electra-cli || exit 1
  built=$(cargo test -p electra-torch --test it --no-run --message-format=json | python3 -c '
import json, sys
print([line["executable"] for line in map(json.loads, sys.stdin) if line.get("executable")][-1])') || exit 1
  set -- target/release/electra "$built"
  LD_LIBRARY_PATH=$(realpath .libtorch)/lib
  export LD_LIBRARY_PATH
fi
electra=$(realpath "$1")
tests=${2:+$(realpath "$2")}
device=${DEVICE:-cuda}
mkdir gpu && cd gpu || exit 1
if [ -z "${LD_LIBRARY_PATH:-}" ]; then
  torch=$(python3 -c 'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")')
  [ -n "$torch" ] && export LD_LIBRARY_PATH="$torch/lib"
fi
{ date -u; nvidia-smi -L; grep -m1 'model name' /proc/cpuinfo; nproc; "$electra" --version; } > machine.txt 2>&1
cat machine.txt

objectives='mlm replace-mlm electra-15 all-tokens-mlm electra'

# A generated language, in short rows and in long ones.
"$electra" corpus synthesize --seed 5 --documents 20000 --output language > log.txt &&
  "$electra" tokenizer train --vocab-size 2000 --input language/corpus.txt --output tokenizer >> log.txt &&
  "$electra" corpus build --tokenizer tokenizer --input language/corpus.txt --max-length 64 --output short >> log.txt &&
  "$electra" corpus build --tokenizer tokenizer --input language/corpus.txt --max-length 128 --output long >> log.txt ||
  exit 1

# run NAME CORPUS PRESET OBJECTIVE DEVICE PRECISION STEPS BATCH KEY=VALUE…
run() {
  local name=$1 corpus=$2 preset=$3 objective=$4 on=$5 precision=$6 steps=$7 batch=$8
  shift 8
  printf 'preset = "%s"\nobjective = "%s"\nseed = 3\n[data]\ncorpus = "%s"\ntokenizer = "tokenizer"\n' \
    "$preset" "$objective" "$corpus" > "$name.toml"
  local set=()
  for pair in "budget.steps=$steps" "budget.batch=$batch" "device.device=$on" "device.precision=$precision" \
    "log.every_steps=$(((steps + 9) / 10))" "checkpoint.every_steps=100000" "$@"; do
    set+=(--set "$pair")
  done
  timeout "${TIMEOUT:-60}" "$electra" pretrain --config "$name.toml" --run "$name" "${set[@]}" > "$name.log" 2>&1 ||
    { echo "FAILED: $name" | tee -a failed.txt; tail -n 3 "$name.log"; }
}

if [ -n "$tests" ]; then
  "$tests" --test-threads 4 > tests.txt 2>&1 || echo "FAILED: tests" | tee -a failed.txt
  grep -E '^test result|^test .*FAILED|panicked' -A1 tests.txt
fi

# The same losses on the CPU, on the device, and in bfloat16 there: without dropout, whose numbers differ by device.
for objective in $objectives; do
  still='model.encoder.hidden_dropout_prob=0 model.encoder.attention_probs_dropout_prob=0 device.threads=1'
  run "equal-$objective-cpu" short tiny "$objective" cpu fp32 60 16 $still &
  run "equal-$objective-fp32" short tiny "$objective" "$device" fp32 60 16 $still &
  run "equal-$objective-bf16" short tiny "$objective" "$device" bf16 60 16 $still &
done
wait
python3 - $objectives <<'P' | tee equal.txt
import json, sys
def losses(name): return [json.loads(line)["loss"] for line in open(f"equal-{name}/metrics.jsonl")]
print("largest relative difference to the CPU's loss at ten of 60 steps")
for objective in sys.argv[1:]:
    try:
        cpu, *others = (losses(f"{objective}-{kind}") for kind in ("cpu", "fp32", "bf16"))
        worst = [max(abs(a - b) / a for a, b in zip(cpu, other, strict=True)) for other in others]
        print(f"{objective:16} fp32 {worst[0]:.1e}  bf16 {worst[1]:.1e}")
    except (OSError, ValueError) as error:
        print(objective, error)
P

# Steps that are started one kernel at a time and steps that are recorded: the same numbers, dropout included, but for the order
# of sums, which grows from step to step. The first loss is before anything is recorded, the second behind two replays.
for objective in $objectives; do
  for precision in fp32 bf16; do
    for graphs in false true; do
      run "graphs-$objective-$precision-$graphs" short tiny "$objective" "$device" "$precision" 60 16 \
        device.threads=1 log.every_steps=3 "device.cuda_graphs=$graphs" &
    done
  done
  wait
done
python3 - $objectives <<'P' | tee graphs.txt
import json, sys
def losses(name): return [json.loads(line)["loss"] for line in open(f"graphs-{name}/metrics.jsonl")]
print("recorded steps against others, relative difference of the loss after 3, 6 and 60 steps")
for objective in sys.argv[1:]:
    for precision in ("fp32", "bf16"):
        try:
            name = f"{objective}-{precision}"
            pairs = zip(losses(f"{name}-false"), losses(f"{name}-true"), strict=True)
            off = [abs(a - b) / a for a, b in pairs]
            print(f"{objective:16} {precision} {off[0]:.1e} {off[1]:.1e} {off[-1]:.1e}")
            if not off[1] < 5e-2:  # one sample that falls on the other side of a rounding may be some hundredths
                print(f"FAILED: graphs {name}", file=open("failed.txt", "a"))
        except (OSError, ValueError) as error:
            print(objective, error)
P

# Rates, one run at a time: the paper's Small and Base, and the size that is all launches. Padding is counted and computed.
vocabulary=model.encoder.vocab_size=30522
steps=${STEPS:-200}
small=128 base=128
[ "$device" = cpu ] && small=2 base=1 steps=10
for objective in $objectives; do
  run "small-$objective" long small "$objective" "$device" bf16 "$steps" "$small" $vocabulary
  run "small-$objective-graphs" long small "$objective" "$device" bf16 "$steps" "$small" $vocabulary device.cuda_graphs=true
done
run small-electra-fp32 long small electra "$device" fp32 "$steps" "$small" $vocabulary
for objective in mlm electra; do
  run "base-$objective" long base "$objective" "$device" bf16 "$((steps / 2))" "$base" $vocabulary
done
run base-electra-graphs long base electra "$device" bf16 "$((steps / 2))" "$base" $vocabulary device.cuda_graphs=true
run tiny-electra short tiny electra "$device" bf16 "$((steps * 5))" 32
run tiny-electra-graphs short tiny electra "$device" bf16 "$((steps * 5))" 32 device.cuda_graphs=true
python3 - <<'P' | tee rates.txt
import glob, json, statistics
print("tokens/s and share of the peak of matrix products: median of the last eight tenths; memory at most; loss at the end")
for name in sorted(glob.glob("small-*/") + glob.glob("base-*/") + glob.glob("tiny-*/")):
    try: lines = [json.loads(line) for line in open(name + "timing.jsonl")][2:]
    except OSError: continue
    if len(lines) < 2: continue
    median = lambda key: statistics.median(line[key] for line in lines)
    loss = json.loads(open(name + "metrics.jsonl").readlines()[-1])["loss"]
    wanted = {"small-electra": 3e6, "base-electra": 6e5}.get(name[:-1].removesuffix("-graphs"))
    goal = f"  goal {wanted:,.0f}" if wanted else ""
    memory = (lines[-1]["peak_memory_bytes"] or 0) / 2**30
    print(f"{name[:-1]:28} {median('tokens_per_s'):12,.0f}  {median('peak_share'):4.0%}  {memory:6.2f} GiB  {loss:8.4f}{goal}")
P
echo "$SECONDS s"
[ ! -e failed.txt ]
