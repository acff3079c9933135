//! Counting steps whose loss or gradient is not finite, without waiting for the device.

use tch::{Device, Kind, Tensor};

use crate::Error;
use crate::checkpoint::SkipCounts;

/// Counts of skipped steps, on the device until they are read.
#[derive(Debug)]
pub(crate) struct Skips {
    /// int64 scalars.
    total: Tensor,
    consecutive: Tensor,
    longest: Tensor,
    longest_end: Tensor,
}

impl Skips {
    pub(crate) fn new(counts: SkipCounts, device: Device) -> Self {
        let scalar = |count: i64| Tensor::from(count).to_device(device);
        Self {
            total: scalar(counts.total),
            consecutive: scalar(counts.consecutive),
            longest: scalar(counts.longest),
            longest_end: scalar(counts.longest_end),
        }
    }

    /// Counts a step; `found_inf` is a scalar that is 1 if the step was skipped and 0 if not.
    pub(crate) fn count(&mut self, step: u64, found_inf: &Tensor) -> Result<(), Error> {
        // On the CPU a look is cheaper than eight operations, of which nearly every step has no need.
        let is_host = found_inf.device() == Device::Cpu;
        if is_host && found_inf.f_double_value(&[])? == 0.0 && self.consecutive.f_int64_value(&[])? == 0 {
            return Ok(());
        }
        let skipped = found_inf.f_to_kind(Kind::Int64)?;
        self.total = self.total.f_add(&skipped)?;
        self.consecutive = self.consecutive.f_add_scalar(1)?.f_mul(&skipped)?;
        let longer = self.consecutive.f_gt_tensor(&self.longest)?;
        self.longest = self.longest.f_maximum(&self.consecutive)?;
        let step = self.longest_end.f_full_like(step as i64)?;
        self.longest_end = step.f_where_self(&longer, &self.longest_end)?;
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
    pub(crate) fn longest_row(self) -> std::ops::RangeInclusive<u64> {
        let end = self.longest_end as u64;
        end + 1 - self.longest as u64..=end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_across_a_save() {
        let mut skips = Skips::new(SkipCounts::default(), Device::Cpu);
        let pattern = [1, 0, 1, 1, 0, 1, 1, 1, 0, 1];
        for (step, skipped) in (10..).zip(pattern) {
            skips.count(step, &Tensor::from(skipped as f32)).unwrap();
            skips = Skips::new(skips.read().unwrap(), Device::Cpu);
        }
        let counts = skips.read().unwrap();
        assert_eq!(counts, SkipCounts { total: 7, consecutive: 1, longest: 3, longest_end: 17 });
        assert_eq!(counts.longest_row(), 15..=17);
    }
}
