//! Tells the tests where libtorch is at run time.

fn main() {
    if std::env::var_os("CARGO_FEATURE_TORCH").is_some() {
        let libtorch =
            std::env::var("DEP_ELECTRA_TORCH_LIBTORCH_LIB").expect("a dependency on electra-torch");
        println!("cargo::rustc-link-arg=-Wl,-rpath,{libtorch}");
    }
}
