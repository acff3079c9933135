//! Sums over many rows without the memory of all rows at once.

use tch::{Device, Kind, Tensor};

/// How much memory the logits of one chunk may take. While the gradient of a chunk is computed some four
/// times as much is in use.
const CHUNK_BYTES: i64 = 16 << 20;
/// The same on a GPU, where a chunk of few rows should cost more for its start than for its rows (not
/// measured).
const CUDA_CHUNK_BYTES: i64 = 1 << 30;

/// With fewer rows a chunk would spend its time on the table and its gradient instead of on products with
/// them: time would grow with V², for there would be more chunks, each with a larger table.
const CHUNK_ROWS: i64 = 128;

/// How many rows of `vocab_size` float32 logits to compute at once: 16 MiB of them on the CPU, 1 GiB on a
/// GPU, and 128 where that is fewer.
#[must_use]
pub fn rows_in_memory(vocab_size: i64, device: Device) -> i64 {
    let bytes = if device.is_cuda() { CUDA_CHUNK_BYTES } else { CHUNK_BYTES };
    (bytes / (4 * vocab_size)).max(CHUNK_ROWS)
}

/// Σ f(rows) over chunks of rows, with the gradient of the plain sum but the memory of one chunk.
///
/// A softmax over V at all B·L positions would need B·L·V numbers, forward and again backward. Here each
/// chunk's gradient is taken as soon as its value is known, and only the gradients are kept: of the rows as
/// large as they are, of what is shared once. The result is a scalar that has these gradients
/// ([`with_gradients`](electra_torch::with_gradients)), so that any backward pass through it, scaled or not,
/// gives what the plain sum would give.
///
/// `f` is handed a chunk of each of `rows` and all of `shared`, and returns a scalar; it must not use other
/// tensors that need gradients. Where nothing needs gradients, or inside `tch::no_grad`, only
/// values are computed.
///
/// # Shapes
/// each of `rows` `[M, …]`, `shared` any → scalar
///
/// # Panics
/// If `rows` is empty or its tensors have different M, or `chunk` is 0.
pub fn chunked_sum(
    rows: &[&Tensor],
    shared: &[&Tensor],
    chunk: i64,
    f: impl Fn(&[Tensor], &[Tensor]) -> Tensor,
) -> Tensor {
    let all = rows[0].size()[0];
    assert!(chunk > 0 && rows.iter().all(|row| row.size()[0] == all), "rows of one number, in chunks");
    if chunk >= all {
        let whole =
            |tensors: &[&Tensor]| tensors.iter().map(|tensor| tensor.shallow_clone()).collect::<Vec<_>>();
        return f(&whole(rows), &whole(shared));
    }
    let mut value = Tensor::zeros([], (Kind::Float, rows[0].device()));
    if !rows.iter().chain(shared).any(|tensor| is_recorded(tensor)) {
        let shared: Vec<Tensor> = shared.iter().map(|tensor| tensor.shallow_clone()).collect();
        for start in (0..all).step_by(chunk as usize) {
            value += f(&chunk_leaves(rows, start, chunk), &shared);
        }
        return value;
    }
    let shared_leaves: Vec<Tensor> = shared.iter().map(|tensor| leaf(tensor, tensor)).collect();
    // Made once and filled chunk by chunk: small tensors that outlive their chunk would lie scattered in the
    // memory that it gave back, and the next chunk's would no longer fit there.
    let row_gradients: Vec<Option<Tensor>> =
        rows.iter().map(|row| row.requires_grad().then(|| row.empty_like())).collect();
    let mut shared_gradients: Vec<Option<Tensor>> = shared.iter().map(|_| None).collect();
    for start in (0..all).step_by(chunk as usize) {
        let leaves = chunk_leaves(rows, start, chunk);
        let part = f(&leaves, &shared_leaves);
        let learning = |leaf: &&Tensor| leaf.requires_grad();
        let inputs: Vec<&Tensor> = leaves.iter().chain(&shared_leaves).filter(learning).collect();
        let mut gradients = Tensor::run_backward(&[&part], &inputs, false, false).into_iter();
        for buffer in row_gradients.iter().flatten() {
            let gradient = gradients.next().expect("a gradient for each input");
            buffer.narrow(0, start, gradient.size()[0]).copy_(&gradient);
        }
        for (sum, _) in
            shared_gradients.iter_mut().zip(&shared_leaves).filter(|(_, leaf)| leaf.requires_grad())
        {
            let gradient = gradients.next().expect("a gradient for each input");
            match sum {
                Some(sum) => *sum += gradient,
                None => *sum = Some(gradient),
            }
        }
        value += part.detach();
    }
    let known = rows.iter().chain(shared).zip(row_gradients.into_iter().chain(shared_gradients));
    let (inputs, gradients): (Vec<&Tensor>, Vec<Tensor>) =
        known.filter_map(|(tensor, gradient)| Some((*tensor, gradient?))).unzip();
    electra_torch::with_gradients(&value, &inputs, &gradients).expect("a gradient of each tensor that learns")
}

/// Whether what is computed from a tensor here and now will have a gradient: not inside `tch::no_grad`.
fn is_recorded(tensor: &Tensor) -> bool {
    // tch does not expose the mode, but the product of an element shows it.
    tensor.requires_grad()
        && (tensor.detach().set_requires_grad(true).flatten(0, -1).narrow(0, 0, 1) * 1.0).requires_grad()
}

/// A tensor apart from its graph, which learns if `like` does.
fn leaf(tensor: &Tensor, like: &Tensor) -> Tensor {
    let leaf = tensor.detach();
    if like.requires_grad() { leaf.set_requires_grad(true) } else { leaf }
}

/// The rows `start .. start + chunk` of each tensor, as leaves.
fn chunk_leaves(rows: &[&Tensor], start: i64, chunk: i64) -> Vec<Tensor> {
    let length = chunk.min(rows[0].size()[0] - start);
    rows.iter().map(|row| leaf(&row.detach().narrow(0, start, length), row)).collect()
}
