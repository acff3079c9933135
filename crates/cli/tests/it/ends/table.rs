//! Every command with small input, in a folder that has what they need.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::plan;
use crate::support::Bench;

/// A command.
#[derive(Clone, Copy)]
pub(super) struct Case {
    /// `{out}` stands for the path to write to.
    pub(super) line: &'static str,
    pub(super) input: &'static str,
}

impl Case {
    pub(super) fn writes(&self) -> bool {
        self.line.contains("{out}")
    }

    pub(super) fn at(&self, out: &Path) -> String {
        self.line.replace("{out}", out.to_str().unwrap())
    }
}

const fn case(line: &'static str) -> Case {
    Case { line, input: "" }
}

const fn reading(line: &'static str, input: &'static str) -> Case {
    Case { line, input }
}

pub(super) const TOKENIZER: Case = case("tokenizer train --input text.txt --vocab-size 200 --output {out}");
pub(super) const BUILD: Case =
    case("corpus build --tokenizer tokenizer --input text.txt --max-length 16 --output {out}");
const SYNTHESIZE: Case =
    case("corpus synthesize --documents 20 --train 10 --dev 10 --test 10 --output {out}");
#[cfg(feature = "torch")]
pub(super) const PRETRAIN: Case = case("pretrain --config run.toml --run {out}");
#[cfg(feature = "torch")]
pub(super) const EXPORT: Case = case("export --run run --output {out}");
#[cfg(feature = "torch")]
pub(super) const FINETUNE: Case =
    case("finetune --model export --task tasks/animals --set threads=1 --epochs 1 --batch 8 --output {out}");

/// Every command but `electra ablate` to its end, which starts the others.
pub(super) const CASES: &[Case] = &[
    TOKENIZER,
    BUILD,
    SYNTHESIZE,
    reading("tokenizer encode --tokenizer tokenizer", "the cat\nthe dog\n"),
    case("corpus inspect corpus"),
    case("corpus inspect corpus --masked --json"),
    case("flops --preset tiny --objective electra"),
    case("flops --preset tiny --objective electra --json"),
    case("ablate --plan plan.toml --print"),
    case("ablate --plan plan.toml --dry-run"),
    case("--help"),
    case("flops --help"),
    case("--version"),
    #[cfg(feature = "torch")]
    PRETRAIN,
    #[cfg(feature = "torch")]
    EXPORT,
    #[cfg(feature = "torch")]
    FINETUNE,
    #[cfg(feature = "torch")]
    reading("predict --model tuned/animals/seed-1/model", "the cat\nthe dog\n"),
    #[cfg(feature = "torch")]
    case("predict --model tuned/animals/seed-1/model --task tasks/animals"),
    #[cfg(feature = "torch")]
    case("minimal-pairs --model export --pairs pairs.jsonl --output {out}"),
    #[cfg(feature = "torch")]
    case("probe --model export --task tasks/animals --output {out}"),
    #[cfg(feature = "torch")]
    reading("embed --model export", "the cat\nthe dog\n"),
    #[cfg(feature = "torch")]
    reading("detect --model export", "the cat\nthe dog\n"),
    #[cfg(feature = "torch")]
    reading("detect --model export --json", "{\"text\": \"the cat\"}\n"),
    #[cfg(feature = "torch")]
    case("replacements --run run --lexicon lexicon.tsv --batches 2 --output {out}"),
];

/// A folder in which every command of the table can be run. Tests that run at the same time share it.
pub(super) fn place() -> Arc<Bench> {
    static PLACE: Mutex<Weak<Bench>> = Mutex::new(Weak::new());
    let mut place = PLACE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(made) = place.upgrade() {
        return made;
    }
    let made = Arc::new(make());
    *place = Arc::downgrade(&made);
    made
}

fn make() -> Bench {
    // With a tokenizer, a plan and a task.
    let bench = plan::bench();
    bench.run("corpus build --tokenizer tokenizer --input text.txt --max-length 16 --output corpus").ok();
    let small = plan::PLAN
        .replace("scratch = true", "scratch = false")
        .replace("seeds = [1, 2]", "seeds = [1]")
        .replace("objectives = [\"mlm\", \"electra\"]", "objectives = [\"mlm\"]")
        .replace("reference = \"electra\"", "reference = \"mlm\"")
        .replace("checkpoints = { shares = [0.5], pretraining_seeds = [1] }\n", "");
    bench.write("small.toml", small);
    bench.write("pairs.jsonl", "{\"sentence_good\": \"the cat sat\", \"sentence_bad\": \"cat the sat\"}\n");
    bench.write("lexicon.tsv", "word\tclass\nthe\tarticle\ncat\tnoun\ndog\tnoun\nsat\tverb\n");
    bench.write(
        "run.toml",
        "preset = \"tiny\"\nobjective = \"electra\"\nseed = 5\n[data]\ncorpus = \"corpus\"\n\
         [budget]\nsteps = 3\nbatch = 2\n[checkpoint]\nevery_steps = 1\nkeep = 2\n\
         [device]\ndevice = \"cpu\"\nthreads = 1\n[model]\ngenerator_multiplier = 0.5\n\
         [model.encoder]\nnum_hidden_layers = 1\nhidden_size = 32\nembedding_size = 16\nintermediate_size = 48\n",
    );
    #[cfg(feature = "torch")]
    {
        bench.run("pretrain --config run.toml --run run").ok();
        bench.run("export --run run --output export").ok();
        bench.run(&FINETUNE.line.replace("{out}", "tuned")).ok();
    }
    bench
}
