//! Counting steps whose loss or gradient is not finite, without waiting for the device.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::Error;

/// Counts of skipped steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkipCounts {
    /// In the whole run.
    pub total: i64,
    /// In a row, up to now.
    pub consecutive: i64,
    /// In a row, at most.
    pub longest: i64,
    /// The last step of the longest row.
    pub longest_end: i64,
}

/// Counts of skipped steps, on the device until they are read. They are changed in place, as a recorded step needs it.
#[derive(Debug)]
pub(crate) struct Skips {
    /// The step to be counted next. It and the counts are int64 scalars.
    step: Tensor,
    total: Tensor,
    consecutive: Tensor,
    longest: Tensor,
    longest_end: Tensor,
}

impl Skips {
    /// What was counted before a step.
    pub(crate) fn new(counts: SkipCounts, step: u64, device: Device) -> Self {
        let scalar = |count: i64| Tensor::from(count).to_device(device);
        Self {
            step: scalar(step as i64),
            total: scalar(counts.total),
            consecutive: scalar(counts.consecutive),
            longest: scalar(counts.longest),
            longest_end: scalar(counts.longest_end),
        }
    }

    /// Counts a step; `found_inf` is a scalar that is 1 if the step was skipped and 0 if not.
    pub(crate) fn count(&mut self, found_inf: &Tensor) -> Result<(), Error> {
        // On the CPU a look is cheaper than eight operations, of which nearly every step has no need.
        let is_host = found_inf.device() == Device::Cpu;
        let is_plain =
            is_host && found_inf.f_double_value(&[])? == 0.0 && self.consecutive.f_int64_value(&[])? == 0;
        if !is_plain {
            let skipped = found_inf.f_to_kind(Kind::Int64)?;
            let _ = self.total.f_add_(&skipped)?;
            let _ = self.consecutive.f_add_scalar_(1)?.f_mul_(&skipped)?;
            let longer = self.consecutive.f_gt_tensor(&self.longest)?;
            self.longest_end.f_copy_(&self.step.f_where_self(&longer, &self.longest_end)?)?;
            self.longest.f_copy_(&self.longest.f_maximum(&self.consecutive)?)?;
        }
        let _ = self.step.f_add_scalar_(1)?;
        Ok(())
    }

    /// Reads the counts, which waits for the device.
    pub(crate) fn read(&self) -> Result<SkipCounts, Error> {
        let read = |tensor: &Tensor| tensor.f_int64_value(&[]);
        Ok(SkipCounts {
            total: read(&self.total)?,
            consecutive: read(&self.consecutive)?,
            longest: read(&self.longest)?,
            longest_end: read(&self.longest_end)?,
        })
    }
}

impl SkipCounts {
    /// The steps of the longest row.
    #[must_use]
    pub fn longest_row(self) -> std::ops::RangeInclusive<u64> {
        let end = self.longest_end as u64;
        end + 1 - self.longest as u64..=end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_across_a_save() {
        let mut skips = Skips::new(SkipCounts::default(), 10, Device::Cpu);
        let pattern = [1, 0, 1, 1, 0, 1, 1, 1, 0, 1];
        for (step, skipped) in (10..).zip(pattern) {
            skips.count(&Tensor::from(skipped as f32)).unwrap();
            skips = Skips::new(skips.read().unwrap(), step + 1, Device::Cpu);
        }
        let counts = skips.read().unwrap();
        assert_eq!(counts, SkipCounts { total: 7, consecutive: 1, longest: 3, longest_end: 17 });
        assert_eq!(counts.longest_row(), 15..=17);
    }
}
