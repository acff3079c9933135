//! Minimal pairs: does the encoder find the acceptable sentence likelier, without fine-tuning?
//!
//! Shapes: B rows, L length, D hidden size, V vocabulary.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use electra_config::{SCORING_FIELD, Scoring};
use electra_encoder::{Architecture, Attention, Encoder, EncoderWithHead, HubFolder, Input, SecondStream};
use electra_objective::PretrainedHead;
use electra_tasks::MinimalPair;
use electra_tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::batches::{Row, by_length, tokens_at_once};
use crate::{Error, encode, pretrained};

/// Logits of a vocabulary that are in memory at once.
const LOGITS: usize = 1 << 26;

/// What of a set of pairs was found right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairScore {
    /// The share of pairs whose acceptable sentence scores higher, a tie counting one half.
    pub accuracy: f64,
    /// How many pairs there are.
    pub pairs: usize,
    /// How many of them are ties.
    pub ties: usize,
}

/// The result of a set of minimal pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairScores {
    /// What the sentences were scored by.
    pub score: Scoring,
    /// All pairs together.
    pub overall: PairScore,
    /// The mean of the paradigms' accuracies, each counting alike.
    pub mean_of_paradigms: f64,
    /// By paradigm.
    pub paradigms: BTreeMap<String, PairScore>,
    /// Pairs of two sentences that are the same, as a few of BLiMP's are: ties, whatever the encoder.
    #[serde(default)]
    pub identical: usize,
    /// Sentences that lost tokens at the end, as they were longer than the encoder's rows.
    pub truncated: usize,
    /// By paradigm, of each pair in order: 1 if the acceptable sentence scores higher, 0 if it does not, 0.5 for a tie.
    #[serde(skip)]
    pub outcomes: BTreeMap<String, Vec<f64>>,
}

/// A pre-trained network that scores sentences.
pub struct PairScorer {
    encoder: Encoder,
    head: PretrainedHead,
    tokenizer: Tokenizer,
    scoring: Scoring,
    note: Option<String>,
}

impl std::fmt::Debug for PairScorer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairScorer").field("scoring", &self.scoring).finish_non_exhaustive()
    }
}

impl PairScorer {
    /// Reads a folder in the Hub's layout with its tokenizer. Not said, the scoring is that of `sentence_score` in its
    /// `config.json`, which `electra export` writes where the class does not tell; else the discriminator's for
    /// `ElectraForPreTraining`, the pseudo-log-likelihood for `ElectraForMaskedLM`, and the log-likelihood for
    /// `ElectraForCausalLM`.
    ///
    /// # Errors
    /// If a file is missing or damaged, or the head is not the one that the scoring needs.
    pub fn read(folder: &Path, scoring: Option<Scoring>, device: Device) -> Result<Self, Error> {
        let (hub, fields) = HubFolder::read_with(folder)?;
        let tokenizer = pretrained::tokenizer(folder, &hub.config)?;
        let refuse = |expected: String| Error::Model {
            folder: folder.to_owned(),
            field: "architectures".to_owned(),
            found: hub.class().to_owned(),
            expected,
        };
        let name = |architecture: Architecture| architecture.name(hub.config.architecture);
        let scoring = match scoring {
            Some(scoring) => scoring,
            None => match fields.get(SCORING_FIELD) {
                Some(name) => name.as_str().and_then(Scoring::named).ok_or_else(|| Error::Model {
                    folder: folder.to_owned(),
                    field: SCORING_FIELD.to_owned(),
                    found: name.to_string(),
                    expected: Scoring::ALL.map(Scoring::name).join(", "),
                })?,
                None => Scoring::of_architecture(hub.architecture).ok_or_else(|| {
                    let scored = [Architecture::PreTraining, Architecture::MaskedLm, Architecture::CausalLm];
                    let names = scored.map(name).join(", ");
                    refuse(format!("a network with a head that scores words, one of {names}"))
                })?,
            },
        };
        let needed = scoring.architecture();
        if hub.architecture != needed {
            return Err(refuse(format!("{}, for the score {}", name(needed), scoring.name())));
        }
        let EncoderWithHead { encoder, head, .. } = electra_objective::pretrained(&hub, device)?;
        Ok(Self { encoder, head, tokenizer, scoring, note: hub.weights.note() })
    }

    /// What to say of tensors of the folder that the network has no use for.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Scores pairs. What is the same row of ids has the same score, so a difference that the vocabulary
    /// cannot spell is a tie.
    ///
    /// # Errors
    /// If `stop` became true, or libtorch threw an exception.
    pub fn score(&self, pairs: &[MinimalPair], stop: &AtomicBool) -> Result<PairScores, Error> {
        let texts: Vec<&str> = pairs.iter().flat_map(|pair| [&*pair.good, &*pair.bad]).collect();
        let (scores, truncated) = self.texts(&texts, stop)?;
        let mut counts: BTreeMap<String, Count> = BTreeMap::new();
        let mut outcomes: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        let mut all = Count::default();
        for (pair, scores) in pairs.iter().zip(scores.chunks_exact(2)) {
            let outcome = scores[0].total_cmp(&scores[1]);
            all.add(outcome);
            counts.entry(pair.paradigm.clone()).or_default().add(outcome);
            outcomes.entry(pair.paradigm.clone()).or_default().push(f64::from(outcome as i8 + 1) / 2.0);
        }
        let paradigms: BTreeMap<_, _> =
            counts.into_iter().map(|(name, count)| (name, count.score())).collect();
        let sum: f64 = paradigms.values().map(|score| score.accuracy).sum();
        Ok(PairScores {
            score: self.scoring,
            overall: all.score(),
            mean_of_paradigms: sum / paradigms.len().max(1) as f64,
            paradigms,
            identical: pairs.iter().filter(|pair| pair.good == pair.bad).count(),
            truncated,
            outcomes,
        })
    }

    /// The score of each sentence: a sum over its tokens.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn sentences<S: AsRef<str>>(&self, sentences: &[S], stop: &AtomicBool) -> Result<Vec<f64>, Error> {
        let texts: Vec<&str> = sentences.iter().map(AsRef::as_ref).collect();
        Ok(self.texts(&texts, stop)?.0)
    }

    /// The score of each text, each row of ids being computed once; and how many texts were cut.
    fn texts(&self, texts: &[&str], stop: &AtomicBool) -> Result<(Vec<f64>, usize), Error> {
        let most = usize::try_from(self.encoder.config().max_position_embeddings).unwrap_or(usize::MAX);
        let mut truncated = 0;
        let mut rows: Vec<Row> = Vec::new();
        let mut numbers: HashMap<Row, usize> = HashMap::new();
        let mut numbered = Vec::with_capacity(texts.len());
        for ids in self.tokenizer.encode_batch(texts) {
            truncated += usize::from(ids.len() + 2 > most);
            let row = encode::sequence(&self.tokenizer, &ids, None, most);
            numbered.push(*numbers.entry(row).or_insert_with_key(|row| {
                rows.push(row.clone());
                rows.len() - 1
            }));
        }
        let scores = tch::no_grad(|| self.scores(&rows, stop))?;
        Ok((numbered.into_iter().map(|number| scores[number]).collect(), truncated))
    }

    /// The score of each row: a sum over its tokens but `[CLS]` and `[SEP]`.
    fn scores(&self, rows: &[Row], stop: &AtomicBool) -> Result<Vec<f64>, Error> {
        let mut scores = vec![0.0; rows.len()];
        if let Scoring::PseudoLogLikelihood | Scoring::MaskedNextToken | Scoring::TwoStream = self.scoring {
            // Every token's row of its own, in which it alone is masked.
            let masked: Vec<(usize, usize)> = (0..rows.len())
                .flat_map(|row| (1..rows[row].input_ids.len() - 1).map(move |position| (row, position)))
                .collect();
            let lengths: Vec<usize> = masked.iter().map(|&(row, _)| rows[row].input_ids.len()).collect();
            for batch in by_length(&lengths, self.most_tokens()) {
                let batch: Vec<(usize, usize)> = batch.into_iter().map(|index| masked[index]).collect();
                for (&(row, _), value) in batch.iter().zip(self.masked(rows, &batch)?) {
                    scores[row] += value;
                }
                interrupted(stop)?;
            }
        } else {
            let lengths: Vec<usize> = rows.iter().map(|row| row.input_ids.len()).collect();
            for batch in by_length(&lengths, self.most_tokens()) {
                let chosen: Vec<&Row> = batch.iter().map(|&index| &rows[index]).collect();
                for (index, value) in batch.into_iter().zip(self.whole(&chosen)?) {
                    scores[index] = value;
                }
                interrupted(stop)?;
            }
        }
        Ok(scores)
    }

    /// Tokens at once: fewer where each has logits of the vocabulary.
    fn most_tokens(&self) -> usize {
        let vocabulary = usize::try_from(self.encoder.config().vocab_size).unwrap_or(usize::MAX);
        let tokens = tokens_at_once(self.encoder.embeddings().word_embeddings().device());
        match self.scoring {
            Scoring::Unmasked | Scoring::LogLikelihood => tokens.min(LOGITS / vocabulary),
            Scoring::Discriminator
            | Scoring::Energy
            | Scoring::PseudoLogLikelihood
            | Scoring::MaskedNextToken
            | Scoring::TwoStream => tokens,
        }
    }

    /// log p of the token at the position of each row, which is not shown there.
    fn masked(&self, rows: &[Row], batch: &[(usize, usize)]) -> Result<Vec<f64>, Error> {
        let PretrainedHead::Vocabulary(head) = &self.head else { unreachable!("read has checked it") };
        let vectors = match self.scoring {
            Scoring::TwoStream => self.asked(rows, batch)?,
            // [CLS] is never masked, so that there is a position before.
            Scoring::MaskedNextToken => self.at_masks(rows, batch, 1)?,
            _ => self.at_masks(rows, batch, 0)?,
        }; // [B, D]
        let originals: Vec<i64> =
            batch.iter().map(|&(row, position)| i64::from(rows[row].input_ids[position])).collect();
        let logits = head.forward(&vectors).f_log_softmax(-1, Kind::Double)?; // [B, V]
        let originals = Tensor::from_slice(&originals).to_device(vectors.device()).view([-1, 1]);
        let values = logits.f_gather(1, &originals, false)?.view([-1]);
        Ok(values.f_to_device(Device::Cpu)?.try_into()?)
    }

    /// The hidden state `[B, D]` so many positions before that of each row, where the row has `[MASK]`.
    fn at_masks(&self, rows: &[Row], batch: &[(usize, usize)], before: usize) -> Result<Tensor, Error> {
        let mask = self.tokenizer.special().mask;
        let changed: Vec<Row> = batch
            .iter()
            .map(|&(row, position)| {
                let mut row = rows[row].clone();
                row.input_ids[position] = mask;
                row
            })
            .collect();
        let hidden = self.hidden(&changed.iter().collect::<Vec<_>>()).0; // [B, L, D]
        let positions: Vec<i64> = batch.iter().map(|&(_, position)| (position - before) as i64).collect();
        let positions = Tensor::from_slice(&positions).to_device(hidden.device()).view([-1, 1, 1]);
        let index = positions.expand([-1, 1, hidden.size()[2]], false);
        Ok(hidden.f_gather(1, &index, false)?.squeeze_dim(1))
    }

    /// What a second stream has `[B, D]` at the position of each row, which the first stream does not see.
    fn asked(&self, rows: &[Row], batch: &[(usize, usize)]) -> Result<Tensor, Error> {
        let rows: Vec<&Row> = batch.iter().map(|&(row, _)| &rows[row]).collect();
        let device = self.encoder.embeddings().word_embeddings().device();
        let (ids, mask, types) = crate::batches::tensors(&rows, self.encoder.config().pad_token_id, device);
        let positions: Vec<i64> = batch.iter().map(|&(_, position)| position as i64).collect();
        let positions = Tensor::from_slice(&positions).to_device(device).view([-1, 1]); // [B, 1]
        let others = mask.f_scatter_value(1, &positions, 0)?; // [B, L]
        let input = Input { input_ids: &ids, attention: Attention::Keys(&others), token_type_ids: &types };
        let attended = others.unsqueeze(1); // [B, 1, L]
        let word = i64::from(self.tokenizer.special().mask);
        let stream = SecondStream { word, positions: &positions, attended: &attended };
        Ok(self.encoder.second_stream_t(&input, stream, false).squeeze_dim(1))
    }

    /// The sum over the tokens of each row, nothing masked.
    fn whole(&self, rows: &[&Row]) -> Result<Vec<f64>, Error> {
        let (hidden, ids, mask) = self.hidden(rows); // [B, L, D], [B, L], [B, L]
        let values = match &self.head {
            // The first position predicts the second; nothing predicts the first, which is [CLS].
            PretrainedHead::Vocabulary(head) if self.scoring == Scoring::LogLikelihood => {
                let last = ids.size()[1] - 1;
                let logits = head.forward(&hidden.f_narrow(1, 0, last)?).f_log_softmax(-1, Kind::Double)?; // [B, L − 1, V]
                let next = ids.f_narrow(1, 1, last)?.unsqueeze(-1);
                logits.f_gather(2, &next, false)?.squeeze_dim(-1).f_constant_pad_nd([1, 0])?
            }
            PretrainedHead::Replaced(head) => {
                let negative = head.forward(&hidden).f_neg()?.f_to_kind(Kind::Double)?;
                match self.scoring {
                    // log p(token | others) = −E, as its normaliser is learnt to be 1.
                    Scoring::Energy => negative,
                    // log(1 − σ(z)) = log σ(−z), z being the logit of "replaced".
                    _ => negative.f_log_sigmoid()?,
                }
            }
            PretrainedHead::Vocabulary(head) => {
                let logits = head.forward(&hidden).f_log_softmax(-1, Kind::Double)?; // [B, L, V]
                logits.f_gather(2, &ids.unsqueeze(-1), false)?.squeeze_dim(-1)
            }
            PretrainedHead::None => unreachable!("read has checked it"),
        }; // [B, L]
        let special = self.tokenizer.special();
        let counts = mask
            .f_logical_and(&ids.f_not_equal(i64::from(special.cls))?)?
            .f_logical_and(&ids.f_not_equal(i64::from(special.sep))?)?;
        let kind: Option<Kind> = None;
        let sums =
            values.f_where_self(&counts, &values.f_zeros_like()?)?.f_sum_dim_intlist(1, false, kind)?;
        Ok(sums.f_to_device(Device::Cpu)?.try_into()?)
    }

    /// Hidden states, ids and the mask of rows: [B, L, D], [B, L], [B, L].
    fn hidden(&self, rows: &[&Row]) -> (Tensor, Tensor, Tensor) {
        let config = self.encoder.config();
        let device = self.encoder.embeddings().word_embeddings().device();
        let (ids, mask, types) = crate::batches::tensors(rows, config.pad_token_id, device);
        let attention = match self.scoring {
            Scoring::LogLikelihood => Attention::Causal(&mask),
            _ => Attention::Keys(&mask),
        };
        let input = Input { input_ids: &ids, attention, token_type_ids: &types };
        (self.encoder.forward_t(&input, false), ids, mask)
    }
}

fn interrupted(stop: &AtomicBool) -> Result<(), Error> {
    if stop.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
}

/// How pairs came out.
#[derive(Default)]
struct Count {
    right: usize,
    ties: usize,
    pairs: usize,
}

impl Count {
    /// `outcome` is of the good sentence's score against the bad one's.
    fn add(&mut self, outcome: std::cmp::Ordering) {
        self.pairs += 1;
        match outcome {
            std::cmp::Ordering::Greater => self.right += 1,
            std::cmp::Ordering::Equal => self.ties += 1,
            std::cmp::Ordering::Less => {}
        }
    }

    fn score(&self) -> PairScore {
        let right = self.right as f64 + 0.5 * self.ties as f64;
        PairScore { accuracy: right / self.pairs.max(1) as f64, pairs: self.pairs, ties: self.ties }
    }
}
