"""The command and the module, from a corpus to a fine-tuned model."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import electra
from electra import _program
from world import corpus

BATCH = 4
STEPS = 6


class AWholeRun(unittest.TestCase):
    temporary: tempfile.TemporaryDirectory[str]
    folder: Path
    model: Path
    run_: electra.Run
    settings: dict[str, object]

    @classmethod
    def setUpClass(cls) -> None:
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        cls.settings = {
            "preset": "tiny",
            "objective": "electra",
            "seed": 1,
            "data": {"corpus": corpus(cls.folder)},
            "budget": {"steps": STEPS, "batch": BATCH},
            "device": {"device": "cpu", "threads": 1},
            "log": {"every_steps": 2},
        }
        cls.run_ = electra.pretrain(cls.settings, cls.folder / "run", quiet=True)
        cls.model = cls.run_.export(cls.folder / "model", quiet=True)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.temporary.cleanup()

    def test_metrics_are_a_table(self) -> None:
        import pandas

        metrics = self.run_.metrics()
        self.assertIsInstance(metrics, pandas.DataFrame)
        self.assertEqual(metrics["step"].iloc[-1], STEPS)
        self.assertEqual(metrics["loss"].tolist(), [record["loss"] for record in self.run_.records()])
        with mock.patch.object(importlib.util, "find_spec", return_value=None):
            self.assertEqual(self.run_.metrics(), self.run_.records())

    def test_a_run_goes_on_and_takes_settings(self) -> None:
        again = electra.pretrain(self.settings, self.folder / "run", quiet=True)
        self.assertEqual(again.records(), self.run_.records())
        other = electra.pretrain(
            self.settings, self.folder / "mlm", set={"objective": "mlm", "budget.steps": 2}, quiet=True
        )
        self.assertEqual(int(other.records()[-1]["step"]), 2)
        self.assertIn('objective = "mlm"', (self.folder / "mlm" / "config.toml").read_text())

    def test_an_export_detects_and_embeds(self) -> None:
        texts = ["the king saw the river", "왕은 강을 보았다"]
        detections = electra.detect(self.model, texts)
        self.assertEqual([detection.tokens[0] for detection in detections], ["[CLS]", "[CLS]"])
        for detection in detections:
            self.assertEqual(len(detection.tokens), len(detection.probabilities))
            self.assertTrue(all(0 <= probability <= 1 for probability in detection.probabilities))
        (alone,) = electra.detect(self.model, texts[1])
        self.assertEqual(alone.tokens, detections[1].tokens)
        # What else is in a batch changes rounding.
        for one, other in zip(alone.logits, detections[1].logits, strict=True):
            self.assertAlmostEqual(one, other, places=4)
        vectors = electra.embed(self.model, texts)
        self.assertEqual([len(vector) for vector in vectors], [64, 64])
        self.assertNotEqual(vectors[0], vectors[1])

    def test_an_encoder_is_fine_tuned(self) -> None:
        task = self.folder / "task"
        task.mkdir()
        lines = [f"the {word} saw\t{label}" for word, label in [("king", "a"), ("queen", "b")]] * 8
        for name in ["train", "dev"]:
            (task / f"{name}.tsv").write_text("text\tlabel\n" + "\n".join(lines) + "\n")
        (task / "task.toml").write_text(
            'kind = "sequence"\ntext = "text"\nlabel = "label"\nlabels = ["a", "b"]\n'
            'metrics = ["accuracy"]\n[files]\ntrain = "train.tsv"\ndev = "dev.tsv"\n'
        )
        results = electra.finetune(
            self.model, task, self.folder / "results", seeds=[1, 2], set={"epochs": 1}, quiet=True
        )
        self.assertEqual([(found["task"], found["metric"]) for found in results], [("task", "accuracy")])
        self.assertEqual(len(results[0]["seeds"]), 2)

    def test_errors_are_the_programs(self) -> None:
        cases: list[tuple[Callable[[], object], str]] = [
            (lambda: self.run_.export(self.folder / "model"), str(self.folder / "model")),
            (lambda: electra.pretrain({**self.settings, "objective": "x"}, self.folder / "y"), "config: "),
            (lambda: electra.pretrain(self.folder / "no.toml", self.folder / "y"), "no.toml"),
            (lambda: electra.detect(self.folder / "nowhere", "text"), "nowhere"),
        ]
        for wrong, expected in cases:
            with mock.patch("sys.stderr"), self.assertRaises(electra.ElectraError) as raised:
                wrong()
            self.assertEqual(raised.exception.exit_code, 2)
            self.assertIn(expected, str(raised.exception))
            self.assertNotIn("error:", str(raised.exception))
        self.assertFalse((self.folder / "y").exists())


class TheCommand(unittest.TestCase):
    def test_it_is_the_program(self) -> None:
        command = Path(sys.executable).with_name("electra")
        printed = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
        version = importlib.metadata.version("electra")
        self.assertEqual(printed.stdout, f"electra {version}\n")
        wrong = subprocess.run([command, "pretrain"], capture_output=True, text=True)
        self.assertEqual(wrong.returncode, 2)

    def test_a_missing_torch_and_another_version_are_named(self) -> None:
        missing = mock.patch.object(importlib.util, "find_spec", return_value=None)
        other = mock.patch.object(importlib.metadata, "version", return_value="2.9.1+cpu")
        for patch, expected in [(missing, "this environment has none"), (other, "has torch 2.9.1+cpu")]:
            with patch, self.assertRaises(electra.ElectraError) as raised:
                electra.run(["--version"])
            self.assertIn(f"needs torch {_program.TORCH}", str(raised.exception))
            self.assertIn(expected, str(raised.exception))
            self.assertIn("pip install", str(raised.exception))
            self.assertEqual(raised.exception.exit_code, 2)


if __name__ == "__main__":
    unittest.main()
