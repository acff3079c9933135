//! Frozen probes: what a linear map finds in the hidden states of an encoder that is left as it is.
//!
//! Shapes: B rows, L length, D hidden size.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use electra_encoder::{Attention, EncoderWithHead, HubFolder, Input};
use electra_store::{create_folder, write};
use electra_tasks::{Content, Example, Kind as TaskKind, Label, Labels, Split};
use electra_tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor, nn};

use crate::batches::{Item, by_length, tensors, tokens_at_once};
use crate::data::{Set, TaskData};
use crate::folder::pretty;
use crate::predictions::Prediction;
use crate::ridge::Ridge;
use crate::score::{Scores, score, table};
use crate::{Error, pretrained};

/// Examples that are learnt from at most, evenly spread over the train set: all features are in memory at once.
const MOST: usize = 10_000;

/// An encoder whose parameters stay as they are, with its tokenizer.
pub struct Prober {
    network: EncoderWithHead<()>,
    tokenizer: Tokenizer,
    note: Option<String>,
}

impl std::fmt::Debug for Prober {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prober").field("encoder", self.network.encoder.config()).finish_non_exhaustive()
    }
}

/// What a probe came to: `scores.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeScores {
    /// The task.
    pub task: String,
    /// The metric that is the task's score.
    pub metric: String,
    /// By set, then by metric. A set without labels is not among them.
    pub scores: BTreeMap<String, Scores>,
    /// How many examples each set has, of the train set those that were learnt from.
    pub examples: BTreeMap<String, usize>,
    /// Features of an example.
    pub features: usize,
    /// λ of the ridge, chosen on the examples that were learnt from.
    pub penalty: f64,
}

impl Prober {
    /// Reads a folder in the Hub's layout with its tokenizer; of a network with a head only the encoder is taken.
    ///
    /// # Errors
    /// If a file is missing or damaged.
    pub fn read(folder: &Path, device: Device) -> Result<Self, Error> {
        let hub = HubFolder::read(folder)?.encoder();
        let tokenizer = pretrained::tokenizer(folder, &hub.config)?;
        let network = EncoderWithHead::from_hub(&hub, device, |_: &nn::Path<'_>, _| ())?;
        Ok(Self { network, tokenizer, note: hub.weights.note() })
    }

    /// What to say of tensors of the folder that the network has no use for.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Fits a probe to a task's train set and writes `scores.json` and `predictions-SET.tsv` of the other sets into
    /// `folder`. Nothing of it is drawn: the same encoder and task give the same scores.
    ///
    /// # Errors
    /// [`Error::Task`] if the task has no label for a whole text, [`Error::Interrupted`] if `stop` became true.
    pub fn probe(&self, data: &TaskData, folder: &Path, stop: &AtomicBool) -> Result<ProbeScores, Error> {
        let task = &data.task;
        let classes = match (&task.kind, &task.labels) {
            (TaskKind::Sequence { .. }, Labels::Classes(labels) | Labels::MultiLabel(labels)) => labels.len(),
            (TaskKind::Sequence { .. }, Labels::Values { .. }) => 0,
            _ => {
                let what = "its labels are not of whole texts; a probe expected classes or numbers of these";
                return Err(Error::Task { task: task.name.clone(), what: what.into() });
            }
        };
        let examples = &data.train.examples;
        let spread = examples.len().div_ceil(MOST).max(1);
        let learnt: Vec<Example> = examples.iter().step_by(spread).cloned().collect();
        let features = self.features(&learnt, stop)?;
        let ridge = Ridge::fit(&features, &targets(&task.name, &learnt, classes)?)?;
        create_folder(folder)?;
        let mut scores = ProbeScores {
            task: task.name.clone(),
            metric: task.score().name().into(),
            scores: BTreeMap::new(),
            examples: BTreeMap::from([(Split::Train.to_string(), learnt.len())]),
            features: usize::try_from(features.size()[1]).unwrap_or_default(),
            penalty: ridge.penalty,
        };
        for (split, dataset) in &data.sets {
            let set = self.encode(&dataset.examples);
            let found = ridge.predict(&self.features(&dataset.examples, stop)?)?;
            let rows: Vec<Vec<f64>> = Vec::try_from(&found.f_to_device(Device::Cpu)?)?;
            let predictions: Vec<Prediction> = rows.iter().map(|row| prediction(row, &task.labels)).collect();
            let name = split.to_string();
            write(&folder.join(format!("predictions-{name}.tsv")), table(task, &set, &predictions))?;
            if let Some(scored) = score(task, &set, &predictions)? {
                scores.scores.insert(name.clone(), scored);
            }
            scores.examples.insert(name, dataset.examples.len());
        }
        write(&folder.join("scores.json"), pretty(&scores))?;
        Ok(scores)
    }

    fn encode<'a>(&self, examples: &'a [Example]) -> Set<'a> {
        let most = self.network.encoder.config().max_position_embeddings;
        Set::encode(&self.tokenizer, examples, usize::try_from(most).unwrap_or(usize::MAX), 0)
    }

    /// Of each example and each layer, the embeddings' output among them: the mean over its tokens, the mean over those
    /// of its second text if it has one, and the maximum over its tokens. `[N, F]`
    fn features(&self, examples: &[Example], stop: &AtomicBool) -> Result<Tensor, Error> {
        let set = self.encode(examples);
        let items = &set.items;
        let has_second = items.iter().any(|item| item.rows[0].second < item.rows[0].input_ids.len());
        let lengths: Vec<usize> = items.iter().map(Item::length).collect();
        let device = self.network.var_store.device();
        let (mut parts, mut order) = (Vec::new(), Vec::with_capacity(items.len()));
        for batch in by_length(&lengths, tokens_at_once(device)) {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            let rows: Vec<_> = batch.iter().map(|&index| &items[index].rows[0]).collect();
            let pad = self.network.encoder.config().pad_token_id;
            let (ids, mask, types) = tensors(&rows, pad, device);
            let input = Input { input_ids: &ids, attention: Attention::Keys(&mask), token_type_ids: &types };
            let states = tch::no_grad(|| self.network.encoder.hidden_states_t(&input, false));
            parts.push(pooled(&states, &mask, &types, has_second)?);
            order.extend(batch);
        }
        // Batches are in the order of lengths.
        let mut places = vec![0_i64; order.len()];
        for (place, example) in order.into_iter().enumerate() {
            places[example] = place as i64;
        }
        Ok(Tensor::f_cat(&parts, 0)?.f_index_select(0, &Tensor::from_slice(&places).to_device(device))?)
    }
}

/// `[B, L, D]` of each layer → `[B, F]`
fn pooled(states: &[Tensor], mask: &Tensor, types: &Tensor, has_second: bool) -> Result<Tensor, Error> {
    let mask = mask.unsqueeze(-1); // [B, L, 1]
    let mean = |x: &Tensor, chosen: &Tensor| -> Result<Tensor, Error> {
        let chosen = chosen.f_to_kind(x.kind())?;
        let count = chosen.f_sum_dim_intlist(1, false, None::<Kind>)?.f_clamp_min(1.0)?;
        Ok((x * chosen).f_sum_dim_intlist(1, false, None::<Kind>)? / count)
    };
    let second = types.unsqueeze(-1).f_eq(1)?.f_logical_and(&mask)?;
    let mut features = Vec::new();
    for state in states {
        let state = state.f_to_kind(Kind::Float)?;
        features.push(mean(&state, &mask)?);
        if has_second {
            features.push(mean(&state, &second)?);
        }
        features.push(state.f_masked_fill(&mask.f_logical_not()?, f64::NEG_INFINITY)?.f_amax(1, false)?);
    }
    Ok(Tensor::f_cat(&features, 1)?)
}

/// A column for each class or label, 1 where it is right; or a column of numbers.
fn targets(task: &str, examples: &[Example], classes: usize) -> Result<Tensor, Error> {
    let mut values = Vec::with_capacity(examples.len() * classes.max(1));
    for example in examples {
        match &example.content {
            Content::Sequence { label: Some(Label::Class(class)), .. } => {
                values.extend((0..classes).map(|other| f64::from(u8::from(other == *class))));
            }
            Content::Sequence { label: Some(Label::MultiLabel(found)), .. } => {
                values.extend((0..classes).map(|class| f64::from(u8::from(found.contains(&class)))));
            }
            Content::Sequence { label: Some(Label::Value(value)), .. } => values.push(*value),
            _ => {
                let what = "an example of the train set has no label; expected one of each".into();
                return Err(Error::Task { task: task.into(), what });
            }
        }
    }
    Ok(Tensor::from_slice(&values).view([examples.len() as i64, classes.max(1) as i64]))
}

/// The class whose column is largest; of several labels, those whose columns are nearer to 1 than to 0; or the number.
fn prediction(row: &[f64], labels: &Labels) -> Prediction {
    let probabilities = row.iter().map(|value| *value as f32).collect();
    match labels {
        Labels::Values { .. } => return Prediction::Value(row[0] as f32),
        Labels::MultiLabel(_) => return Prediction::multi_label(probabilities),
        Labels::Classes(_) | Labels::Within => {}
    }
    let mut class = 0;
    for (index, value) in row.iter().enumerate() {
        if *value > row[class] {
            class = index;
        }
    }
    Prediction::Class { class, probabilities }
}
