"""The example trains a model of transformers."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from world import documents

EXAMPLE = Path(__file__).parents[1] / "examples" / "train_transformers.py"


class TheExample(unittest.TestCase):
    def test_a_model_of_transformers_learns(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            text = Path(folder) / "text.txt"
            text.write_text("\n\n".join("\n".join(lines) for lines in documents(200)), encoding="utf-8")
            environment = {"TMPDIR": folder, "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
            command = [sys.executable, str(EXAMPLE), str(text), "40"]
            printed = subprocess.run(command, env=environment, capture_output=True, text=True)
        self.assertEqual(printed.returncode, 0, printed.stderr)
        found = re.search(r"first ten steps ([\d.]+), of the last ten ([\d.]+)", printed.stdout)
        assert found, printed.stdout
        self.assertLess(float(found[2]), float(found[1]) - 0.5)


if __name__ == "__main__":
    unittest.main()
