"""Python reads this file when it starts, if its folder is on PYTHONPATH.

The small libtorch of `cargo xtask setup --cpu` leaves out CUDA libraries that torch's Python module is linked
to and that nothing calls where no GPU is asked for. `cargo xtask bench peers` puts empty ones in their place,
and here symbols are looked up when they are called instead of when a library is loaded.
"""

import os
import sys

if hasattr(sys, "setdlopenflags"):
    sys.setdlopenflags(os.RTLD_LAZY)
