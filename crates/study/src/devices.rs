//! The devices of a study, of which each takes one job at a time.

use electra_config::DeviceChoice;

/// What a program sees of the GPUs of a machine.
pub(crate) const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";

/// What is wrong with a plan's list of devices, if something is: a comparison is on equal terms, so all are of one kind.
pub(crate) fn expected(devices: &[DeviceChoice]) -> Option<&'static str> {
    let is_gpu = |device: &DeviceChoice| matches!(device, DeviceChoice::CudaAt(_));
    let is_twice = devices.iter().enumerate().any(|(place, device)| devices[..place].contains(device));
    let are_gpus = devices.iter().all(is_gpu) && !is_twice;
    let are_cpus = devices.iter().all(|device| *device == DeviceChoice::Cpu);
    let expected = "GPUs, each once, such as [\"cuda:0\", \"cuda:1\"], or as many times \"cpu\" as jobs are to run side by side";
    (!are_gpus && !are_cpus).then_some(expected)
}

/// The kind of all devices, as a setting of a run: `cpu` or `cuda`.
pub(crate) fn kind(devices: &[DeviceChoice]) -> Option<&'static str> {
    devices.first().map(|device| if *device == DeviceChoice::Cpu { "cpu" } else { "cuda" })
}

/// What a job's device is called: `cuda:1`, or `cpu, place 2 of 3`.
pub(crate) fn name(devices: &[DeviceChoice], place: usize) -> String {
    match devices[place] {
        DeviceChoice::Cpu => format!("cpu, place {} of {}", place + 1, devices.len()),
        device => device.to_string(),
    }
}

/// What a job is to see of the machine's GPUs so that its first is this one, where the study itself sees those of `visible`.
pub(crate) fn seen_by_job(device: DeviceChoice, visible: Option<&str>) -> String {
    let DeviceChoice::CudaAt(index) = device else { return String::new() };
    match visible {
        None => index.to_string(),
        // One that is not there stays so, and the job says it.
        Some(visible) => visible.split(',').nth(index).unwrap_or_default().trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPU: DeviceChoice = DeviceChoice::Cpu;
    const FIRST: DeviceChoice = DeviceChoice::CudaAt(0);
    const SECOND: DeviceChoice = DeviceChoice::CudaAt(1);

    #[test]
    fn devices_are_of_one_kind() {
        for right in [&[][..], &[CPU], &[CPU, CPU], &[FIRST, SECOND]] {
            assert_eq!(expected(right), None, "{right:?}");
        }
        for wrong in [&[CPU, FIRST][..], &[FIRST, FIRST], &[DeviceChoice::Cuda], &[DeviceChoice::Auto]] {
            assert!(expected(wrong).is_some(), "{wrong:?}");
        }
        assert_eq!((kind(&[]), kind(&[CPU]), kind(&[FIRST])), (None, Some("cpu"), Some("cuda")));
    }

    #[test]
    fn a_job_sees_its_own_gpu_alone() {
        assert_eq!(seen_by_job(CPU, Some("2,3")), "");
        assert_eq!(seen_by_job(SECOND, None), "1");
        assert_eq!(seen_by_job(SECOND, Some("2, 3")), "3");
        assert_eq!(seen_by_job(SECOND, Some("2")), "");
        assert_eq!(name(&[CPU, CPU], 1), "cpu, place 2 of 2");
        assert_eq!(name(&[FIRST, SECOND], 1), "cuda:1");
    }
}
