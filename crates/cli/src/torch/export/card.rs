//! The model card, `README.md`.

use std::fmt::Write;
use std::path::Path;

use electra_config::{Convention, StepShape};
use electra_data::Manifest;
use electra_encoder::{Architecture, Backbone, EncoderConfig, PositionEmbeddingType};
use indicatif::{HumanBytes, HumanCount};

use super::networks::Networks;
use super::place::Place;
use super::source::Source;
use crate::hub::Destination;

/// Files of a corpus that are named one by one.
const MOST_FILES: usize = 8;

/// How to use what no class `Electra…` computes. `crates/encoder/tests/golden/make_rotary.py` compares with that class.
const ROTARY: &str = "\
The positions are rotary, which no `ElectraModel` of transformers computes, so that its `Auto…` classes refuse this folder. \
`RoFormerModel` computes the encoder:

```python
import json
from safetensors.torch import load_file
from transformers import AutoTokenizer, RoFormerConfig, RoFormerModel

folder = \"path/of/this/folder\"
fields = json.load(open(f\"{folder}/config.json\"))
encoder = RoFormerModel(RoFormerConfig(**{k: v for k, v in fields.items() if k != \"model_type\"})).eval()
tensors = load_file(f\"{folder}/encoder/model.safetensors\")
# Missing is a table that follows from the configuration.
encoder.load_state_dict({k.removeprefix(\"electra.\"): v for k, v in tensors.items()}, strict=False)

tokenizer = AutoTokenizer.from_pretrained(folder)
states = encoder(**tokenizer(\"A text.\", return_tensors=\"pt\")).last_hidden_state
```
";

/// The card. It says what is known, and leaves out what is not: the language and the licence are the author's to
/// add.
pub(super) fn card(
    source: &Source,
    networks: &Networks,
    with_generator: bool,
    destination: Option<&Destination>,
) -> String {
    let Source { config, step, state, corpus, valid, .. } = source;
    let place = Place::new(destination);
    let main = &networks.main;
    let mut text = String::new();
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    let task = match main.architecture {
        Architecture::MaskedLm => "fill-mask",
        Architecture::CausalLm => "text-generation",
        _ => "feature-extraction",
    };
    line(&format!("---\nlibrary_name: transformers\npipeline_tag: {task}\ntags:\n- electra"));
    // The tag of every model here, and of one objective.
    if config.objective != electra_objective::electra::INFO.name {
        line(&format!("- {}", config.objective));
    }
    line("---\n");
    line(&format!("# A text encoder pre-trained with the objective `{}`\n", config.objective));
    line(&format!("{}\n", what_it_is(main.architecture, main.config.architecture)));

    line("## Use\n");
    match (main.config.architecture, main.config.position_embedding_type) {
        (Backbone::Electra, PositionEmbeddingType::Rotary) => line(ROTARY),
        (backbone, _) => line(&format!("```python\n{}\n```\n", usage(main.architecture, backbone, &place))),
    }
    line(&format!(
        "With [electra](https://github.com/electra-rs/electra):\n\n```\n{}\n```\n",
        place.commands()
    ));
    if let Some(generator) = networks.generator.as_ref().filter(|_| with_generator) {
        line(&format!(
            "`generator/` holds the generator that the encoder was trained with, {} `{}`; \
             load it with `subfolder=\"generator\"`.\n",
            if generator.class().starts_with('E') { "an" } else { "a" },
            generator.class()
        ));
    }
    if !networks.left_out.is_empty() {
        line(&format!(
            "Left out, as this architecture has no place for it: {}. It served the objective and is not needed \
             for fine-tuning.\n",
            code_list(&networks.left_out)
        ));
    }

    line("## Networks\n\n| | layers | width | feed-forward | heads | embeddings | tokens | positions |");
    line("|---|---|---|---|---|---|---|---|");
    line(&sizes("encoder", &main.config));
    if let Some(generator) = &networks.generator {
        line(&sizes("generator", &generator.config));
    }

    line("\n## Training\n\n| | |\n|---|---|");
    let mut row = |name: &str, value: String| line(&format!("| {name} | {value} |"));
    row("objective", format!("`{}`", config.objective));
    row("steps", count(*step));
    row("budget", budget(source));
    row("batch", format!("{} examples", config.budget.batch));
    row("examples seen", count(state.examples_seen));
    if let Some(corpus) = corpus {
        let tokens = state.examples_seen * corpus.examples.max_length as u64;
        row("tokens seen", format!("{}, padding included", count(tokens)));
    }
    // A causal model masks nothing.
    if main.architecture != Architecture::CausalLm {
        row("share of tokens masked", config.masking.mask_prob.to_string());
    }
    let optimizer = &config.optimizer;
    row("learning rate", format!("{:e}, with linear decay", optimizer.learning_rate));
    let (steps, share) = (count(optimizer.warmup_steps), optimizer.warmup_share);
    row("warm-up", format!("{steps} steps, or {share} of the run if that is less"));
    row("weight decay", optimizer.weight_decay.to_string());
    row("seed", config.seed.to_string());
    row("training time", format!("{:.0} s", state.elapsed_seconds));
    if let Some([paper, executed]) = flops(source) {
        row("FLOPs, as the paper counts them", format!("{paper:.3e}"));
        row("FLOPs, as executed", format!("{executed:.3e}"));
    }
    row("code", format!("electra {}", state.code));
    if let Some(init) = &config.init {
        row("began with", format!("`{}`", began_with(&init.discriminator)));
    }

    if let Some(corpus) = corpus {
        line("\n## Training data\n\n| | |\n|---|---|");
        for (name, value) in data(corpus) {
            line(&format!("| {name} | {value} |"));
        }
    }
    if let Some(valid) = valid {
        let at = count(valid.step);
        line(&format!(
            "\n## Scores\n\nOf held-out text, measured by the run after step {at}:\n\n| | |\n|---|---|"
        ));
        for (name, score) in &valid.scores {
            line(&format!("| `{name}` | {score:.4} |"));
        }
    }
    text
}

fn what_it_is(architecture: Architecture, backbone: Backbone) -> &'static str {
    match (architecture, backbone) {
        (Architecture::PreTraining, Backbone::ModernBert) => {
            "An encoder of ModernBERT's architecture (Warner et al. 2024) that was trained by replaced token detection \
             (ELECTRA, Clark et al. 2020) to tell, of each token of a text, whether it was replaced, and the head that \
             tells it: a token classification with one label, whose logit is positive where it means \"replaced\"."
        }
        (_, Backbone::ModernBert) => {
            "An encoder of ModernBERT's architecture (Warner et al. 2024) that was trained to predict original tokens, \
             and the vocabulary head that predicts them."
        }
        (architecture, Backbone::Electra) => what_an_electra_is(architecture),
    }
}

fn what_an_electra_is(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::PreTraining => {
            "The discriminator of ELECTRA (Clark et al. 2020): a Transformer encoder that was trained to tell, of \
             each token of a text, whether it was replaced, and the head that tells it. A positive logit means \
             \"replaced\"."
        }
        Architecture::CausalLm => {
            "A Transformer of ELECTRA's architecture (Clark et al. 2020) with a vocabulary head that was trained to \
             predict each token from those before it. `encoder/` is the same network as an encoder: it attends to all \
             tokens, and is meant for fine-tuning."
        }
        _ => {
            "A Transformer encoder of ELECTRA's architecture (Clark et al. 2020) that was trained to predict \
             original tokens, and the vocabulary head that predicts them."
        }
    }
}

fn usage(architecture: Architecture, backbone: Backbone, place: &Place) -> String {
    let place = place.arguments();
    let load = format!(
        "from transformers import AutoModel, AutoTokenizer\n\n\
         tokenizer = AutoTokenizer.from_pretrained({place})\n\
         encoder = AutoModel.from_pretrained({place}, subfolder=\"encoder\")  # for fine-tuning"
    );
    let (auto, what) = match architecture {
        Architecture::PreTraining if backbone == Backbone::ModernBert => {
            ("AutoModelForTokenClassification", "a logit of \"replaced\" for each token")
        }
        Architecture::PreTraining => ("AutoModelForPreTraining", "logits of \"replaced\""),
        Architecture::CausalLm => ("AutoModelForCausalLM", "logits of the next token"),
        _ => ("AutoModelForMaskedLM", "logits of the vocabulary"),
    };
    format!(
        "{load}\n\n# With its head: {what}\nfrom transformers import {auto}\nmodel = {auto}.from_pretrained({place})"
    )
}

fn sizes(name: &str, config: &EncoderConfig) -> String {
    let EncoderConfig {
        num_hidden_layers,
        hidden_size,
        intermediate_size,
        num_attention_heads,
        embedding_size,
        vocab_size,
        max_position_embeddings,
        ..
    } = config;
    format!(
        "| {name} | {num_hidden_layers} | {hidden_size} | {intermediate_size} | {num_attention_heads} | \
         {embedding_size} | {vocab_size} | {max_position_embeddings} |"
    )
}

fn budget(source: &Source) -> String {
    let budget = &source.config.budget;
    let limits = [
        budget.steps.map(|steps| format!("{} steps", count(steps))),
        budget.tokens.map(|tokens| format!("{} tokens", count(tokens))),
        budget.flops.map(|flops| format!("{flops:.3e} FLOPs, as the paper counts them")),
        budget.seconds.map(|seconds| format!("{seconds} s")),
    ];
    limits.into_iter().flatten().collect()
}

/// Of all steps, by both conventions; none where the rows' length or the objective is not known here.
fn flops(source: &Source) -> Option<[f64; 2]> {
    let Source { config, step, corpus, .. } = source;
    let length = corpus.as_ref()?.examples.max_length;
    let model = config.model.model();
    let objective = electra_ablations::info(&config.objective).ok()?;
    let shape = StepShape {
        batch: config.budget.batch as u64,
        length: length as u64,
        masked: config.masking.expected_count(length),
    };
    let total = |convention: Convention| objective.flops(&model, shape, convention) * *step as f64;
    Some([total(Convention::Paper), total(Convention::Executed)])
}

fn data(corpus: &Manifest) -> Vec<(&'static str, String)> {
    let counts = &corpus.counts;
    let names: Vec<String> = corpus.sources.iter().map(|source| name(Path::new(&source.path))).collect();
    let sources = match names.len() {
        0..=MOST_FILES => code_list(&names),
        many => format!("{many} files"),
    };
    let bytes: Option<u64> = corpus.sources.iter().map(|source| source.bytes).sum();
    let size = bytes.map_or("unknown".to_owned(), |bytes| format!("{} of files", HumanBytes(bytes)));
    vec![
        ("sources", sources),
        ("size", size),
        ("documents", count(counts.documents)),
        ("tokens", count(counts.text_tokens)),
        ("examples", count(counts.examples)),
        ("tokens in an example", format!("up to {}", corpus.examples.max_length)),
        (
            "vocabulary",
            format!("{} tokens, sha256 `{}`", count(u64::from(corpus.vocabulary.size)), corpus.tokenizer),
        ),
    ]
}

/// Without the folders above, which are of the author's machine.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// A model of the Hub's cache by its name and commit, and another folder by its own name.
fn began_with(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    let inside = |[model, snapshots, commit]: [&str; 3], rest: &[_]| {
        let model = model.strip_prefix("models--").filter(|_| snapshots == "snapshots")?.replace("--", "/");
        let folder: String = rest.iter().map(|part: &std::borrow::Cow<'_, str>| format!("/{part}")).collect();
        Some(format!("{model}{folder}@{commit}"))
    };
    let found = (0..parts.len().saturating_sub(2))
        .find_map(|at| inside([&parts[at], &parts[at + 1], &parts[at + 2]], &parts[at + 3..]));
    found.unwrap_or_else(|| name(path))
}

fn code_list(names: &[String]) -> String {
    names.iter().fold(String::new(), |mut list, name| {
        let comma = if list.is_empty() { "" } else { ", " };
        let _ = write!(list, "{comma}`{name}`");
        list
    })
}

fn count(number: u64) -> String {
    HumanCount(number).to_string()
}
