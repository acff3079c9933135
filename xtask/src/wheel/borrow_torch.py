"""Lets an environment import the torch that `cargo xtask setup` installed, so that it is not installed twice.

Argument: the folder of packages that has torch. The small libtorch of `cargo xtask setup --cpu` leaves out CUDA libraries that
torch's Python module is linked to and that nothing calls where no GPU is asked for. Empty ones take their place, and symbols
are looked up when they are called instead of when a library is loaded.
"""

import os
import re
import subprocess
import sys
import sysconfig

LAZILY = """import ctypes, glob, os, sys

sys.setdlopenflags(os.RTLD_LAZY)
for path in glob.glob({empty!r} + "/lib*"):
    ctypes.CDLL(path)
"""


def main(site):
    packages = sysconfig.get_path("purelib")
    empty = os.path.join(packages, "empty-libraries")
    os.makedirs(empty, exist_ok=True)
    with open(os.path.join(packages, "borrowed_torch.py"), "w", encoding="utf-8") as file:
        file.write(LAZILY.format(empty=empty))
    with open(os.path.join(packages, "borrowed_torch.pth"), "w", encoding="utf-8") as file:
        # A line that begins with `import` is run whenever Python starts.
        file.write(f"{site}\nimport borrowed_torch\n")
    while True:
        tried = subprocess.run([sys.executable, "-c", "import torch"], stderr=subprocess.PIPE, text=True)
        if tried.returncode == 0:
            return
        missing = re.search(r"(lib[^/\s]+): cannot open shared object file", tried.stderr)
        if not missing or os.path.exists(os.path.join(empty, missing[1])):
            sys.exit(tried.stderr)
        compiler = os.environ.get("CXX", "c++").split()
        options = ["-shared", "-x", "c++", os.devnull, f"-Wl,-soname,{missing[1]}", "-o"]
        subprocess.run([*compiler, *options, os.path.join(empty, missing[1])], check=True)


main(sys.argv[1])
