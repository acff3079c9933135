"""``electra.data`` against the program: the same bytes."""

from __future__ import annotations

import json
import pickle
import tempfile
import unittest
from pathlib import Path

import electra
import torch
from electra.data import MaskedCorpus, MaskingCollator, Tokenizer, build_corpus
from torch.utils.data import DataLoader
from world import corpus, documents, tokenizer


class OfACorpus(unittest.TestCase):
    folder: tempfile.TemporaryDirectory[str]
    corpus: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        cls.corpus = corpus(Path(cls.folder.name))

    @classmethod
    def tearDownClass(cls) -> None:
        cls.folder.cleanup()

    def program(self, step: int, *options: str) -> list[dict[str, list[int]]]:
        """The batch of a step as the program makes it."""
        command = ["corpus", "inspect", str(self.corpus), "--masked", "--json", "--seed", "7", "--batch", "6"]
        printed = electra.run([*command, "--step", str(step), *options])
        return [json.loads(line) for line in printed.splitlines()]

    def test_a_corpus_has_the_bytes_of_the_programs(self) -> None:
        folder = Path(self.folder.name)
        text = "\n\n".join("\n".join(lines) for lines in documents())
        (folder / "text.txt").write_text(text + "\n", encoding="utf-8")
        tokenizer().save(folder / "vocabulary")
        command = [
            "corpus",
            "build",
            "--tokenizer",
            str(folder / "vocabulary"),
            "--input",
            str(folder / "text.txt"),
        ]
        electra.run([*command, "--max-length", "32", "--output", str(folder / "by-program")], quiet=True)
        ours = sorted(path.name for path in self.corpus.glob("*.bin"))
        self.assertEqual(ours, ["shard-00000.bin"])
        shard = (self.corpus / "shard-00000.bin").read_bytes()
        self.assertEqual(shard, (folder / "by-program" / "shard-00000.bin").read_bytes())
        whole = ("\n".join(lines) for lines in documents())
        build_corpus(Tokenizer(folder / "vocabulary"), whole, folder / "of-strings", max_length=32)
        self.assertEqual(shard, (folder / "of-strings" / "shard-00000.bin").read_bytes())

    def test_batches_are_the_programs(self) -> None:
        for rule, choice in [("electra", "token"), ("bert", "whole-word"), ("reference", "token")]:
            batches = MaskedCorpus(
                self.corpus, 6, steps=3, seed=7, masking=rule, choice=choice, columns="electra"
            )
            for step, batch in enumerate(batches):
                rows = self.program(step, "--masking", rule, "--choice", choice)
                self.assertEqual(len(rows), 6)
                for row, expected in enumerate(rows):
                    for name in ["input_ids", "masked_input_ids", "token_type_ids"]:
                        self.assertEqual(batch[name][row].tolist(), expected[name], (rule, step, row, name))
                    valid = batch["masked_valid"][row]
                    self.assertEqual(
                        batch["masked_positions"][row][valid].tolist(), expected["masked_positions"]
                    )
                    self.assertEqual(batch["attention_mask"][row].long().tolist(), expected["attention_mask"])
                    self.assertEqual(int(batch["examples"][row]), expected["example"])

    def test_labels_are_the_ids_behind_the_masks(self) -> None:
        masked = 0
        plain, with_labels = (
            MaskedCorpus(self.corpus, 6, steps=1, seed=7, columns=columns).batch(4)
            for columns in ["electra", "transformers"]
        )
        self.assertTrue(torch.equal(plain["masked_input_ids"], with_labels["input_ids"]))
        for row in range(6):
            positions = set(plain["masked_positions"][row][plain["masked_valid"][row]].tolist())
            for place, label in enumerate(with_labels["labels"][row].tolist()):
                expected = int(plain["input_ids"][row, place]) if place in positions else -100
                self.assertEqual(label, expected)
                masked += label != -100
        self.assertGreater(masked, 6)

    def test_workers_and_ranks_change_nothing(self) -> None:
        data = MaskedCorpus(self.corpus, 6, steps=5, start=2, seed=7)
        alone = list(DataLoader(data, batch_size=None))
        self.assertEqual(len(alone), 5)
        spawned = DataLoader(data, batch_size=None, num_workers=2, multiprocessing_context="spawn")
        for one, other in zip(alone, spawned, strict=True):
            for name, column in one.items():
                self.assertTrue(torch.equal(column, other[name]), name)
        halves = [
            MaskedCorpus(self.corpus, 6, steps=1, seed=7, rank=rank, ranks=2).batch(2) for rank in (0, 1)
        ]
        for name, column in alone[0].items():
            self.assertTrue(torch.equal(column, torch.cat([half[name] for half in halves])), name)
        self.assertTrue(torch.equal(pickle.loads(pickle.dumps(data)).batch(3)["labels"], alone[1]["labels"]))

    def test_the_collator_has_the_same_masks(self) -> None:
        plain = MaskedCorpus(self.corpus, 6, steps=1, seed=7, columns="electra").batch(4)
        masked = MaskedCorpus(self.corpus, 6, steps=1, seed=7).batch(4)
        features = [
            {"input_ids": ids[real], "example": example}
            for ids, real, example in zip(
                plain["input_ids"], plain["attention_mask"], plain["examples"].tolist(), strict=True
            )
        ]
        collate = MaskingCollator(self.corpus / "tokenizer", 32, seed=7)
        collate.step = 4
        batch = collate(features)
        length = batch["input_ids"].shape[1]
        for name in ["input_ids", "labels", "attention_mask"]:
            self.assertTrue(torch.equal(batch[name], masked[name][:, :length]), name)
        other = collate([{**feature, "step": 5} for feature in features])
        self.assertFalse(torch.equal(batch["labels"], other["labels"]))


class Refusals(unittest.TestCase):
    def test_what_is_wrong_is_named(self) -> None:
        collate = MaskingCollator(tokenizer(), 8)
        row = {"input_ids": [2, 10, 3], "example": 0}
        for features, expected in [
            ([row, {"input_ids": [2, 500, 3], "example": 1}], "row 1: the id 500; expected 0 to"),
            ([{"input_ids": [2] * 9, "example": 1}], "row 0: 9 ids; expected at most 8, max_length"),
            ([row, {**row, "step": 3}], "features of the steps [0, 3]; expected one step"),
        ]:
            with self.assertRaises(ValueError) as raised:
                collate(features)
            self.assertIn(expected, str(raised.exception))
        for settings, expected in [
            ({"masking": "x"}, 'masking: "x"; expected electra, bert or reference'),
            ({"choice": "x"}, 'choice: "x"; expected token, whole-word or n-gram'),
            ({"mask_prob": 2.0}, "mask_prob"),
        ]:
            with self.assertRaises(ValueError) as raised:
                MaskingCollator(tokenizer(), 8, **settings)  # type: ignore[arg-type]
            self.assertIn(expected, str(raised.exception))

    def test_what_python_raises_while_text_is_read_is_raised(self) -> None:
        def broken() -> object:
            yield ["a line"]
            raise RuntimeError("no more text")

        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(RuntimeError, "no more text"):
                build_corpus(tokenizer(), broken(), Path(folder) / "corpus")  # type: ignore[arg-type]
            self.assertEqual(list(Path(folder).iterdir()), [])
        with self.assertRaisesRegex(ValueError, "nowhere"):
            MaskedCorpus("nowhere", 4, steps=1)


if __name__ == "__main__":
    unittest.main()
