//! Compiles the shim against libtorch, and tells the crates above where libtorch is.

use std::env;
use std::path::Path;

/// The shim's files in `src/shim/`.
const SHIM: [&str; 5] = ["autocast", "context", "device", "layer", "optimizer"];

fn main() {
    println!("cargo::rerun-if-changed=src/shim");
    let library =
        env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys names the folder of libtorch's libraries");
    let include = Path::new(&library).with_file_name("include");

    let mut build = cc::Build::new();
    build
        .cpp(true)
        .std("c++17")
        .files(SHIM.map(|name| format!("src/shim/{name}.cpp")))
        .define("_GLIBCXX_USE_CXX11_ABI", "1");
    for folder in [include.clone(), include.join("torch/csrc/api/include")] {
        // As system headers, so that warnings are about the shim alone.
        build.flag("-isystem").flag(folder.to_str().expect("cargo's environment is UTF-8"));
    }
    build.compile("electra_torch_shim");

    println!("cargo::rustc-link-search=native={library}");
    for name in ["torch_cpu", "c10"] {
        println!("cargo::rustc-link-lib=dylib={name}");
    }
    println!("cargo::rustc-link-arg=-Wl,-rpath,{library}");
    println!("cargo::metadata=libtorch_lib={library}");
}
