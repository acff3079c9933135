use super::check;
use crate::{Error, KernelLevel, kernel_level};
use std::ffi::c_char;
use std::marker::PhantomData;
use tch::Tensor;
use torch_sys::C_tensor;

/// One call of the fused kernel. Mirrors `ElectraTorchAdamW`.
#[repr(C)]
struct AdamW {
    parameters: *const *const C_tensor,
    exp_avgs: *const *const C_tensor,
    exp_avg_sqs: *const *const C_tensor,
    steps: *const *const C_tensor,
    count: usize,
    fixed_step: *const C_tensor,
    lr: f64,
    rate: *const C_tensor,
    beta1: f64,
    beta2: f64,
    weight_decay: f64,
    eps: f64,
    grad_scale: *const C_tensor,
    found_inf: *const C_tensor,
    level: KernelLevel,
}

unsafe extern "C" {
    fn electra_torch_adamw(call: *const AdamW) -> *mut c_char;
    fn electra_torch_clip(
        level: KernelLevel,
        parameters: *const *const C_tensor,
        count: usize,
        max_norm: f64,
        norm: *mut *mut C_tensor,
        grad_scale: *mut *mut C_tensor,
        found_inf: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn electra_torch_clear_grads(parameters: *const *const C_tensor, count: usize) -> *mut c_char;
}

/// Pointers to tensors that live as long as the list.
struct List<'a> {
    pointers: Vec<*const C_tensor>,
    tensors: PhantomData<&'a Tensor>,
}

impl<'a> FromIterator<&'a Tensor> for List<'a> {
    fn from_iter<I: IntoIterator<Item = &'a Tensor>>(tensors: I) -> Self {
        List { pointers: tensors.into_iter().map(Tensor::as_ptr).collect(), tensors: PhantomData }
    }
}

/// Parameters with their state, all of one kind and on one device.
pub(crate) struct Lists<'a> {
    parameters: List<'a>,
    exp_avgs: List<'a>,
    exp_avg_sqs: List<'a>,
    steps: List<'a>,
}

impl<'a> Lists<'a> {
    /// Of each parameter: itself, `exp_avg`, `exp_avg_sq` and the step count.
    pub(crate) fn new(rows: impl Iterator<Item = [&'a Tensor; 4]> + Clone) -> Lists<'a> {
        Lists {
            parameters: rows.clone().map(|row| row[0]).collect(),
            exp_avgs: rows.clone().map(|row| row[1]).collect(),
            exp_avg_sqs: rows.clone().map(|row| row[2]).collect(),
            steps: rows.map(|row| row[3]).collect(),
        }
    }
}

/// The kernel's scalars.
pub(crate) struct Scalars {
    pub(crate) lr: f64,
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) weight_decay: f64,
    pub(crate) eps: f64,
}

/// Updates every parameter that has a gradient. `rate` is what `lr` is multiplied by, `scaled` is
/// `grad_scale` and `found_inf`.
pub(crate) fn adamw(
    lists: &Lists<'_>,
    fixed_step: Option<&Tensor>,
    scalars: &Scalars,
    rate: Option<&Tensor>,
    scaled: Option<(&Tensor, &Tensor)>,
) -> Result<(), Error> {
    let pointer = |tensor: Option<&Tensor>| tensor.map_or(std::ptr::null(), Tensor::as_ptr);
    let call = AdamW {
        parameters: lists.parameters.pointers.as_ptr(),
        exp_avgs: lists.exp_avgs.pointers.as_ptr(),
        exp_avg_sqs: lists.exp_avg_sqs.pointers.as_ptr(),
        steps: lists.steps.pointers.as_ptr(),
        count: lists.parameters.pointers.len(),
        fixed_step: pointer(fixed_step),
        lr: scalars.lr,
        rate: pointer(rate),
        beta1: scalars.beta1,
        beta2: scalars.beta2,
        weight_decay: scalars.weight_decay,
        eps: scalars.eps,
        grad_scale: pointer(scaled.map(|(grad_scale, _)| grad_scale)),
        found_inf: pointer(scaled.map(|(_, found_inf)| found_inf)),
        level: kernel_level()?,
    };
    // SAFETY: the four lists are equally long and point to tensors that live through the call; the shim
    // checks that shapes, kinds and devices agree before the kernel sees them.
    check(unsafe { electra_torch_adamw(&raw const call) })
}

/// The L2 norm over all gradients together, the factor to divide them by, and whether the norm is not finite.
pub(crate) fn clip(parameters: &[Tensor], max_norm: f64) -> Result<[Tensor; 3], Error> {
    let parameters: List<'_> = parameters.iter().collect();
    let level = kernel_level()?;
    let [mut norm, mut grad_scale, mut found_inf] = [std::ptr::null_mut(); 3];
    // SAFETY: the list points to live tensors, the last three pointers to live pointers.
    check(unsafe {
        electra_torch_clip(
            level,
            parameters.pointers.as_ptr(),
            parameters.pointers.len(),
            max_norm,
            &raw mut norm,
            &raw mut grad_scale,
            &raw mut found_inf,
        )
    })?;
    // SAFETY: without an exception the shim made three new tensors, which are owned from here on.
    Ok([norm, grad_scale, found_inf].map(|tensor| unsafe { Tensor::from_ptr(tensor) }))
}

/// Forgets the gradients.
pub(crate) fn clear_grads(parameters: &[Tensor]) -> Result<(), Error> {
    let parameters: List<'_> = parameters.iter().collect();
    // SAFETY: the list points to live tensors.
    check(unsafe { electra_torch_clear_grads(parameters.pointers.as_ptr(), parameters.pointers.len()) })
}
