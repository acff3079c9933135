//! Compiles the shim against libtorch, and tells the crates above where libtorch is.

use std::env;
use std::path::Path;

/// The shim's files in `src/shim/`.
const SHIM: [&str; 19] = [
    "attention",
    "autocast",
    "context",
    "detection",
    "device",
    "dispatch",
    "distributed",
    "embeddings",
    "graph",
    "layers",
    "losses",
    "modernbert",
    "operations",
    "optimizer",
    "product",
    "random",
    "transform",
    "vocabulary",
    "with_gradients",
];

/// Levels of vector instructions that `src/shim/kernels.cpp` is compiled for on `x86_64`, besides the
/// compiler's default.
const LEVELS: [(&str, &[&str]); 2] = [
    ("avx2", &["-march=x86-64-v3"]),
    // The compiler would keep to half vectors, for the sake of machines that slow down under whole ones.
    ("avx512", &["-march=x86-64-v4", "-mprefer-vector-width=512"]),
];

fn main() {
    println!("cargo::rerun-if-changed=src/shim");
    // Documentation is made on machines without libtorch.
    if env::var_os("CARGO_CFG_ELECTRA_DOC_ONLY").is_some() {
        return;
    }
    let library =
        env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys names the folder of libtorch's libraries");
    let include = Path::new(&library).with_file_name("include");
    let is_x86 = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64");

    let mut build = cc::Build::new();
    build
        .cpp(true)
        .std("c++17")
        .files(SHIM.map(|name| format!("src/shim/{name}.cpp")))
        .define("_GLIBCXX_USE_CXX11_ABI", "1")
        // As libtorch was: some of its classes have other members without it.
        .define("NDEBUG", None);
    if is_x86 {
        build.define("ELECTRA_TORCH_X86", None);
    }
    for folder in [include.clone(), include.join("torch/csrc/api/include")] {
        // As system headers, so that warnings are about the shim alone.
        build.flag("-isystem").flag(folder.to_str().expect("cargo's environment is UTF-8"));
    }
    build.compile("electra_torch_shim");

    kernels("baseline", &[]);
    if is_x86 {
        for (level, flags) in LEVELS {
            kernels(level, flags);
        }
    }

    if is_x86 {
        cc::Build::new()
            .cpp(true)
            .std("c++17")
            .file("src/shim/packing.cpp")
            .opt_level(3)
            // The second is about GCC's own header (its bug 105593).
            .flags(["-march=x86-64-v4", "-mavx512bf16", "-Wno-maybe-uninitialized"])
            .compile("electra_torch_packing");
    }

    println!("cargo::rustc-link-search=native={library}");
    for name in ["torch_cpu", "c10"] {
        println!("cargo::rustc-link-lib=dylib={name}");
    }
    println!("cargo::rustc-link-arg=-Wl,-rpath,{library}");
    println!("cargo::metadata=libtorch_lib={library}");
}

/// Compiles the kernels for one level, optimised in every profile: they are what takes the time of a test,
/// too.
fn kernels(level: &str, flags: &[&str]) {
    let mut build = cc::Build::new();
    build
        .cpp(true)
        .std("c++17")
        .file("src/shim/kernels.cpp")
        .opt_level(3)
        .define("KERNELS", &*format!("kernels_{level}"));
    // Without the last, a compiler leaves a loop in which a value is chosen as it is, one number at a time, unless the machine
    // has masks: what is not chosen might raise an exception.
    let common =
        ["-fopenmp-simd", "-ffp-contract=fast", "-Wno-psabi", "-fno-math-errno", "-fno-trapping-math"];
    for flag in common.iter().chain(flags) {
        build.flag(flag);
    }
    build.compile(&format!("electra_torch_kernels_{level}"));
}
