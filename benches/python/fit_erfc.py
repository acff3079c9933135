"""The coefficients of P in crates/torch/src/shim/kernels.cpp: erfc(z) = exp(-z²) t P(t) with t = 1 / (1 + a z).

    python fit_erfc.py

prints them, lowest power first, and the largest relative error for z up to 9.5. Needs numpy and scipy.
"""

import numpy as np
import scipy.special

A, TERMS = 0.375, 9

z = np.concatenate([np.linspace(0, 3, 3000), np.linspace(3, 9.5, 3000)])
t = 1 / (1 + A * z)
wanted = scipy.special.erfcx(z)
powers = np.stack([t**k for k in range(1, TERMS + 1)], axis=1)
# Least squares, weighted again and again where the error is large, tends to the least largest error (Lawson, 1961).
weights = np.ones_like(z)
for _ in range(400):
    scale = np.sqrt(weights) / wanted
    coefficients, *_ = np.linalg.lstsq(powers * scale[:, None], wanted * scale, rcond=None)
    error = np.abs(powers @ coefficients / wanted - 1)
    weights *= np.sqrt(error / error.max()) + 1e-3
    weights /= weights.max()
print(*(f"{coefficient:.13f}" for coefficient in coefficients))
print(f"relative error {error.max():.2e}")
