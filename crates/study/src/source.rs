//! What runs learn from and are scored on: text of the plan's, or a generated language for each seed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::arms::Arm;
use crate::plan::{Family, Languages, SyntheticPlan};
use crate::{Error, Plan};

/// The folder of all languages in a study's.
pub(crate) const LANGUAGES: &str = "languages";

/// Text with its vocabulary and its corpus, and tasks where the text is a generated language. Runs that learn from
/// the same have equal sources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TextSource {
    /// The plan's files.
    Files,
    /// A language that the program generates.
    Language(Language),
}

/// A language that the program generates, and how much is told of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Language {
    /// Decides every word of it: the seed of `electra corpus synthesize`.
    pub(crate) number: u64,
    pub(crate) family: Family,
    pub(crate) documents: u64,
    pub(crate) told_twice: bool,
    /// Its folder under `languages`: the number, and what an arm has otherwise than the plan.
    pub(crate) name: String,
}

impl TextSource {
    pub(crate) fn language(&self) -> Option<&Language> {
        match self {
            Self::Files => None,
            Self::Language(language) => Some(language),
        }
    }

    /// A folder of this source, as from the study's.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        match self {
            Self::Files => name.into(),
            Self::Language(language) => [LANGUAGES, &language.name, name].iter().collect(),
        }
    }

    /// The id of the job that makes a folder of this source.
    pub(crate) fn job(&self, name: &str) -> String {
        match self {
            Self::Files => name.into(),
            Self::Language(language) => format!("{name}-{}", language.name),
        }
    }

    /// How messages and titles begin that are about this source.
    pub(crate) fn prefix(&self) -> String {
        self.language().map_or_else(String::new, |language| format!("language {}: ", language.name))
    }
}

impl SyntheticPlan {
    /// The number of the language of a seed of pre-training.
    pub(crate) fn number(&self, pretraining_seed: u64) -> u64 {
        match self.languages {
            Languages::One => self.seed,
            Languages::EachSeed => self.seed.saturating_add(pretraining_seed),
        }
    }
}

impl Plan {
    /// What an arm's run of this seed learns from. The seed is the plan's, without the arm's offset.
    pub(crate) fn source(&self, arm: &Arm, pretraining_seed: u64) -> TextSource {
        let Some(synthetic) = &self.data.synthetic else { return TextSource::Files };
        let number = synthetic.number(pretraining_seed);
        let documents = arm.synthetic.documents.unwrap_or(synthetic.documents);
        let told_twice = arm.synthetic.told_twice.unwrap_or(synthetic.told_twice);
        let mut name = number.to_string();
        if documents != synthetic.documents {
            name.push_str(&format!("-documents-{documents}"));
        }
        if told_twice != synthetic.told_twice {
            name.push_str(if told_twice { "-told-twice" } else { "-told-once" });
        }
        let language = Language { number, family: synthetic.family, documents, told_twice, name };
        TextSource::Language(language)
    }

    /// The sources of the reported runs, each once, in the order of the seeds.
    pub(crate) fn reported_sources(&self) -> Vec<TextSource> {
        self.sources_of(&self.pretraining_seeds)
    }

    /// The sources of the search's runs, each once.
    pub(crate) fn searched_sources(&self) -> Vec<TextSource> {
        self.search.as_ref().map_or_else(Vec::new, |search| self.sources_of(&search.pretraining_seeds))
    }

    /// The sources of all runs, each once.
    pub(crate) fn sources(&self) -> Vec<TextSource> {
        let mut sources = self.reported_sources();
        for source in self.searched_sources() {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        sources
    }

    fn sources_of(&self, seeds: &[u64]) -> Vec<TextSource> {
        let arms: Vec<Arm> = self.scratch_arm().into_iter().chain(self.pretrained_arms()).collect();
        let mut seen = BTreeSet::new();
        let all = seeds.iter().flat_map(|seed| arms.iter().map(|arm| self.source(arm, *seed)));
        all.filter(|source| seen.insert(source.clone())).collect()
    }

    /// The size of each source's vocabulary before there is one: as asked for, or the given tokenizer's.
    pub(crate) fn planned_vocab_sizes(&self) -> Result<BTreeMap<TextSource, u64>, Error> {
        let size = self.planned_vocab_size()?;
        Ok(self.sources().into_iter().map(|source| (source, size)).collect())
    }
}
