"""Times a training step of two builds of `benches/src/bin/step.rs` in turn: pairs.py OLD NEW."""

import json
import statistics
import subprocess
import sys

SIZES = [("tiny", 150, 5, []), ("small", 6, 3, []), ("base", 4, 3, ["--batch", "4"])]
OBJECTIVES = ["mlm", "replace-mlm", "electra-15", "all-tokens-mlm", "electra"]


def seconds(program, preset, objective, steps, more):
    command = [program, "--preset", preset, "--objective", objective, "--steps", str(steps), "--json", *more]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(output.strip().splitlines()[-1])["step_s"]


old, new = sys.argv[1:3]
for preset, steps, rounds, more in SIZES:
    for objective in OBJECTIVES:
        times = {old: [], new: []}
        for number in range(rounds):
            for program in (old, new) if number % 2 == 0 else (new, old):
                times[program].append(seconds(program, preset, objective, steps, more))
        ratios = [after / before for before, after in zip(times[old], times[new])]
        medians = [statistics.median(times[program]) for program in (old, new)]
        shown = ", ".join(f"{ratio:.3f}" for ratio in ratios)
        ratio = statistics.median(ratios)
        print(f"{preset} {objective}: {medians[0]:.5f} s, {medians[1]:.5f} s, ratio {ratio:.3f} of {shown}", flush=True)
