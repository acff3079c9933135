//! Examples as tensors, in batches of like length.

use electra_masking::Stream;
use tch::{Device, Tensor};

use crate::heads::Problem;

/// The order of the examples: key (seed, epoch).
const ORDER: Stream = Stream::named(b"finetune");

/// Batches that are sorted by length together. Fewer, and more is padded; more, and an epoch is less random.
const WINDOW: usize = 32;

/// One row of ids as the encoder takes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) input_ids: Vec<u32>,
    /// Where the second segment begins; the length of the row if there is none.
    pub(crate) second: usize,
}

/// What is to be predicted of an item.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Target {
    Class(i64),
    /// The labels that the item has.
    MultiLabel(Vec<usize>),
    Value(f32),
    /// For each word that is in the row, the position of its first token and its class.
    Words(Vec<(usize, i64)>),
    Span(i64, i64),
    /// Nothing is known: to be predicted alone.
    Unknown,
}

/// What is computed as one: a row, or the rows to choose from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) rows: Vec<Row>,
    pub(crate) target: Target,
}

impl Item {
    /// The longest row's.
    pub(crate) fn length(&self) -> usize {
        self.rows.iter().map(|row| row.input_ids.len()).max().unwrap_or(0)
    }
}

/// Some items on the device.
#[derive(Debug)]
pub(crate) struct TaskBatch {
    /// [rows, L]
    pub(crate) input_ids: Tensor,
    pub(crate) attention_mask: Tensor,
    pub(crate) token_type_ids: Tensor,
    /// Of choices: for each item its rows, −1 where it has fewer than another. [B, most]
    pub(crate) slots: Option<Tensor>,
    /// What [`crate::heads::loss`] takes; none if some target is not known.
    pub(crate) labels: Option<Tensor>,
}

impl TaskBatch {
    /// Items with padding, on a device. Of choices an item has several rows.
    pub(crate) fn new(items: &[&Item], problem: &Problem, pad: i64, device: Device) -> Self {
        let rows: Vec<&Row> = items.iter().flat_map(|item| &item.rows).collect();
        let (input_ids, attention_mask, token_type_ids) = tensors(&rows, pad, device);
        let length = input_ids.size()[1] as usize;
        Self {
            input_ids,
            attention_mask,
            token_type_ids,
            slots: (*problem == Problem::Choice).then(|| slots(items).to_device(device)),
            labels: labels(items, problem, length).map(|labels| labels.to_device(device)),
        }
    }
}

/// Ids, attention mask and token types of rows, each [rows, L].
pub(crate) fn tensors(rows: &[&Row], pad: i64, device: Device) -> (Tensor, Tensor, Tensor) {
    let length = rows.iter().map(|row| row.input_ids.len()).max().unwrap_or(0);
    let size = rows.len() * length;
    let (mut ids, mut mask, mut types) = (vec![pad; size], vec![false; size], vec![0_i64; size]);
    for (number, row) in rows.iter().enumerate() {
        let (begin, end) = (number * length, number * length + row.input_ids.len());
        for (slot, &id) in ids[begin..end].iter_mut().zip(&row.input_ids) {
            *slot = i64::from(id);
        }
        mask[begin..end].fill(true);
        types[(begin + row.second).min(end)..end].fill(1);
    }
    let shape = [rows.len() as i64, length as i64];
    let sent = |tensor: Tensor| {
        electra_torch::send(&tensor.view(shape), device).expect("a device that the network is on")
    };
    (sent(Tensor::from_slice(&ids)), sent(Tensor::from_slice(&mask)), sent(Tensor::from_slice(&types)))
}

/// [B, most] of row numbers.
fn slots(items: &[&Item]) -> Tensor {
    let most = items.iter().map(|item| item.rows.len()).max().unwrap_or(0);
    let mut slots = vec![-1_i64; items.len() * most];
    let mut next = 0;
    for (item, slots) in items.iter().zip(slots.chunks_mut(most.max(1))) {
        for slot in &mut slots[..item.rows.len()] {
            *slot = next;
            next += 1;
        }
    }
    Tensor::from_slice(&slots).view([items.len() as i64, most as i64])
}

fn labels(items: &[&Item], problem: &Problem, length: usize) -> Option<Tensor> {
    let numbers = |number: fn(&Target) -> Option<i64>| {
        let all: Option<Vec<i64>> = items.iter().map(|item| number(&item.target)).collect();
        all.map(|all| Tensor::from_slice(&all))
    };
    match items.first()?.target {
        Target::Class(_) => numbers(|target| match target {
            Target::Class(class) => Some(*class),
            _ => None,
        }),
        Target::MultiLabel(_) => {
            let count = usize::try_from(problem.outputs()).unwrap_or(0);
            let mut labels = vec![0.0_f32; items.len() * count];
            for (item, labels) in items.iter().zip(labels.chunks_mut(count)) {
                let Target::MultiLabel(classes) = &item.target else { return None };
                classes.iter().for_each(|&class| labels[class] = 1.0);
            }
            Some(Tensor::from_slice(&labels).view([items.len() as i64, count as i64]))
        }
        Target::Value(_) => {
            let values = items.iter().map(|item| match item.target {
                Target::Value(value) => Some(value),
                _ => None,
            });
            Some(Tensor::from_slice(&values.collect::<Option<Vec<f32>>>()?))
        }
        Target::Span(..) => {
            let starts = numbers(|target| match target {
                Target::Span(start, _) => Some(*start),
                _ => None,
            })?;
            let ends = numbers(|target| match target {
                Target::Span(_, end) => Some(*end),
                _ => None,
            })?;
            Some(Tensor::stack(&[starts, ends], 1))
        }
        Target::Words(_) => {
            let mut labels = vec![-100_i64; items.len() * length];
            for (item, labels) in items.iter().zip(labels.chunks_mut(length)) {
                let Target::Words(words) = &item.target else { return None };
                for &(position, class) in words {
                    labels[position] = class;
                }
            }
            Some(Tensor::from_slice(&labels).view([items.len() as i64, length as i64]))
        }
        Target::Unknown => None,
    }
}

/// The batches of an epoch: a permutation by (seed, epoch), of which [`WINDOW`] batches at a time are sorted
/// by length; the batches then come in an order that is drawn too.
pub(crate) fn epoch(lengths: &[usize], batch: usize, seed: u64, epoch: u64) -> Vec<Vec<usize>> {
    let mut rng = ORDER.rng(seed, epoch, 0);
    let mut shuffle = |count: usize| {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            let other = rng.below(u32::try_from(last + 1).unwrap_or(u32::MAX)) as usize;
            order.swap(last, other);
        }
        order
    };
    let mut order = shuffle(lengths.len());
    for window in order.chunks_mut(batch * WINDOW) {
        window.sort_by_key(|&index| lengths[index]);
    }
    let batches: Vec<Vec<usize>> = order.chunks(batch).map(<[usize]>::to_vec).collect();
    let order = shuffle(batches.len());
    order.into_iter().map(|index| batches[index].clone()).collect()
}

/// Tokens to score at once, with padding: on the CPU so few that what lies between two products stays in the caches.
pub(crate) fn tokens_at_once(device: Device) -> usize {
    if device.is_cuda() { 8192 } else { 1024 }
}

/// All examples, longest first, in batches of at most `tokens` tokens with padding: for scoring.
pub(crate) fn by_length(lengths: &[usize], tokens: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(lengths[index]));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for index in order {
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * lengths[batch[0]] <= tokens => batch.push(index),
            _ => batches.push(vec![index]),
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_every_example_once_and_little_padding() {
        let lengths: Vec<usize> = (0..1000).map(|index| 5 + (index * 7919) % 60).collect();
        let batches = epoch(&lengths, 32, 1, 0);
        let mut seen: Vec<usize> = batches.concat();
        seen.sort_unstable();
        assert_eq!(seen, (0..1000).collect::<Vec<_>>());
        let padded: usize = batches
            .iter()
            .map(|batch| batch.len() * batch.iter().map(|&index| lengths[index]).max().unwrap())
            .sum();
        let tokens: usize = lengths.iter().sum();
        assert!(padded as f64 <= 1.05 * tokens as f64, "{padded} of {tokens}");
    }

    #[test]
    fn the_order_is_a_function_of_seed_and_epoch() {
        let lengths = vec![4; 100];
        assert_eq!(epoch(&lengths, 8, 1, 0), epoch(&lengths, 8, 1, 0));
        assert_ne!(epoch(&lengths, 8, 1, 0), epoch(&lengths, 8, 1, 1));
        assert_ne!(epoch(&lengths, 8, 1, 0), epoch(&lengths, 8, 2, 0));
    }

    #[test]
    fn scoring_batches_hold_so_many_tokens() {
        let batches = by_length(&[3, 10, 4, 9, 1], 20);
        assert_eq!(batches, [vec![1, 3], vec![2, 0, 4]]);
        // What is longer than that alone is a batch of its own.
        assert_eq!(by_length(&[30, 30], 20), [[0], [1]]);
    }

    #[test]
    fn choices_of_unequal_number_have_their_slots() {
        let row = |ids: &[u32]| Row { input_ids: ids.to_vec(), second: ids.len() };
        let three = Item { rows: vec![row(&[2, 3]), row(&[2, 4, 3]), row(&[2])], target: Target::Class(2) };
        let other = Item { rows: vec![row(&[2, 5]), row(&[2, 6])], target: Target::Class(0) };
        let batch = TaskBatch::new(&[&three, &other], &Problem::Choice, 0, Device::Cpu);
        assert_eq!(batch.input_ids.size(), [5, 3]);
        let slots: Vec<i64> = batch.slots.unwrap().view([-1]).try_into().unwrap();
        assert_eq!(slots, [0, 1, 2, 3, 4, -1]);
    }
}
