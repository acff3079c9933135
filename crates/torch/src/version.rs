use crate::{Error, ffi};

/// The version of the libtorch that this program has loaded, such as `2.11.0`.
pub fn version() -> Result<String, Error> {
    Ok(unpacked(ffi::versions()?.0))
}

/// The version of the libtorch whose headers this program was compiled with.
///
/// Another than [`version`] means that the library was exchanged after the build, and calls for a new one.
pub fn compiled_version() -> Result<String, Error> {
    Ok(unpacked(ffi::versions()?.1))
}

/// Major, minor and patch are the three highest bytes.
fn unpacked(packed: u64) -> String {
    let [major, minor, patch, ..] = packed.to_be_bytes();
    format!("{major}.{minor}.{patch}")
}

#[cfg(test)]
mod tests {
    use super::unpacked;

    #[test]
    fn the_three_highest_bytes_count() {
        assert_eq!(unpacked(0x020B_0100_0000_0007), "2.11.1");
    }
}
