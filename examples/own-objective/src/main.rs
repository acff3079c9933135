//! Trains an objective of one's own with electra-trainer: see `moved_tokens.rs`, which is all there is to it.

mod moved_tokens;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use electra_encoder::{Head, Network, Positions};
use electra_objective::Objective;
use electra_trainer::{Config, Event, Outcome, Run, train};

use moved_tokens::MovedTokens;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [config, folder] = arguments.as_slice() else {
        anyhow::bail!("usage: own-objective CONFIG.toml RUN-FOLDER");
    };
    let outcome = pretrain(Path::new(config), &[], Path::new(folder))?;
    println!("{outcome:?}");
    Ok(())
}

/// What `electra pretrain` does, with this crate's objective.
fn pretrain(config: &Path, set: &[String], folder: &Path) -> Result<Outcome> {
    // Which tokens are moved is the masking's affair; what they become is not, so the paper's rule will do.
    let config = Config::read(config, set, |_| Ok(electra_data::MaskingConfig::electra()))?;
    let model = config.model.model();
    let networks = [Network { encoder: &model.encoder, heads: &[Head::Discriminator(Positions::All)] }];
    let run = Run {
        config: &config,
        folder,
        networks: &networks,
        continues_word: &[],
        stop: &AtomicBool::new(false),
        observer: &mut |event| {
            if let Event::Step { step, rates: Some(rates), .. } = event
                && step.is_multiple_of(config.log.every_steps)
            {
                eprintln!("step {step}: loss {:.3}", rates.loss);
            }
        },
    };
    train(run, |root| Ok::<Box<dyn Objective>, anyhow::Error>(Box::new(MovedTokens::new(root, &model))))
        .context("training")
}

#[cfg(test)]
mod tests {
    use electra_data::{CorpusConfig, CorpusWriter, ExampleConfig, Unit, Vocabulary};

    use super::*;

    /// A text of counting, in which a token that is out of place is easily seen.
    fn corpus(folder: &Path) {
        let config = CorpusConfig {
            examples: ExampleConfig::one_segment(16),
            unit: Unit::Line,
            vocabulary: Vocabulary { size: 40, pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 },
            tokenizer: [0; 32],
            shard_tokens: 1 << 20,
            reading: None,
            sources: Vec::new(),
        };
        let mut writer = CorpusWriter::create(folder, config).unwrap();
        for document in 0..200u32 {
            let ids: Vec<u32> = (0..28).map(|at| 5 + (document + at) % 30).collect();
            writer.push(&ids).unwrap();
            writer.end_document().unwrap();
        }
        writer.finish().unwrap();
    }

    #[test]
    fn the_trainer_trains_it() {
        let folder = tempfile::tempdir().unwrap();
        corpus(&folder.path().join("corpus"));
        let config = folder.path().join("run.toml");
        let corpus = folder.path().join("corpus");
        let text = format!(
            "preset = \"tiny\"\nobjective = \"moved-tokens\"\nseed = 1\n[data]\ncorpus = {corpus:?}\n\
             [budget]\nsteps = 60\nbatch = 16\n[optimizer]\nlearning_rate = 3e-3\n[log]\nevery_steps = 20\n[device]\nthreads = 1\n"
        );
        std::fs::write(&config, text).unwrap();
        let run = folder.path().join("run");
        assert_eq!(pretrain(&config, &[], &run).unwrap(), Outcome::Finished { step: 60 });
        let metrics = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
        let losses: Vec<f64> = metrics
            .lines()
            .map(|line| line.split("\"disc_loss\":").nth(1).unwrap())
            .map(|rest| rest.split([',', '}']).next().unwrap().parse().unwrap())
            .collect();
        // An untrained head says one half of everything, which costs ln 2 = 0.69.
        assert!(losses.len() == 3 && losses[2] < 0.6, "{losses:?}");
    }
}
