//! A folder to work in, and the program run there.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    /// Of a command that gets this input.
    pub(crate) fn of(command: &mut Command, input: &[u8]) -> Self {
        let mut child = command.spawn().unwrap();
        // A program that refuses its options does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The output of a call that must have succeeded.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}", self.err);
        self.out
    }

    /// The message of a call that must have refused its input.
    pub(crate) fn refused(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (2, ""), "{}", self.err);
        self.err
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With `text.txt`, three documents in English, Korean and Chinese, and a tokenizer trained on it.
    pub(crate) fn with_tokenizer() -> Self {
        let bench = Self::new();
        let english =
            "the cat sat on the mat and the dog sat on the log\nall of them sat there for a while\n";
        let korean = "고양이가 매트 위에 앉았다 그리고 개가 통나무 위에 앉았다\n";
        let chinese = "猫坐在垫子上,狗坐在木头上\n";
        bench.write("text.txt", format!("{}\n{}\n{chinese}", english.repeat(30), korean.repeat(30)));
        bench.run("tokenizer train --input text.txt --vocab-size 200 --output tokenizer").ok();
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// The names in the folder, hidden ones too.
    pub(crate) fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_electra"));
        command.args(line.split_whitespace()).current_dir(self.folder.path());
        // Tests are many processes at once; threads of libtorch's in each would wait for one another.
        command.env("OMP_NUM_THREADS", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The same, begun by a shell's script as its `"$@"`.
    pub(crate) fn command_under(&self, script: &str, line: &str) -> Command {
        let inner = self.command(line);
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(inner.get_program()).args(inner.get_args());
        command.current_dir(self.folder.path()).env("OMP_NUM_THREADS", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, line: &str) -> Answer {
        self.run_with(line, b"")
    }

    pub(crate) fn run_with(&self, line: &str, input: &[u8]) -> Answer {
        Answer::of(&mut self.command(line), input)
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The JSON objects of an output, one a line.
pub(crate) fn json_lines(output: &str) -> Vec<Value> {
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
