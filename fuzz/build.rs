//! Tells the tests where libtorch is: beside crates that need it, cargo gives this one the feature that links it.

fn main() {
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    if let Some(libtorch) = std::env::var_os("LIBTORCH") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{}/lib", libtorch.to_string_lossy());
    }
}
