//! What the program asks of libtorch and of the machine before it begins.

use crate::support::Bench;

#[test]
fn a_level_of_kernels_is_chosen_by_the_environment() {
    let bench = Bench::new();
    let run = |level: &str| {
        let mut command = bench.command("flops --preset small --objective mlm");
        let output = command.env("ELECTRA_KERNELS", level).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for level in ["formula", "baseline"] {
        assert_eq!(run(level).0, Some(0), "{level}");
    }
    let (code, message) = run("avx3");
    assert_eq!(code, Some(2), "{message}");
    let expected = "error: ELECTRA_KERNELS is \"avx3\": expected formula, baseline, avx2 or avx512\n";
    assert_eq!(message, expected);
}
