//! Standard output and standard error, either of which may be full or closed.
//!
//! Results go to standard output. If they cannot be written, the command fails, unless the reader has gone: a
//! reader that stops reading has seen enough (see [`failure`](crate::failure)). Everything else goes to standard error. If
//! standard error is closed, this output is lost, and the command continues.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;
use console::style;

/// Prints results: the text as it is.
///
/// An error is a bare [`io::Error`], by which [`failure`](crate::failure) knows that it is of standard output.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Prints a line of results.
pub(crate) fn line(text: impl Display) -> Result<()> {
    print(&format!("{text}\n"))
}

/// Tells something on standard error, in one line.
pub(crate) fn tell(text: &str) {
    tell_styled(&escaped(text));
}

#[cfg(feature = "torch")]
pub(crate) fn warn(text: &str) {
    tell_styled(&format!("{} {}", style("warning:").yellow().bold().for_stderr(), escaped(text)));
}

pub(crate) fn error(text: &str) {
    tell_styled(&format!("{} {}", style("error:").red().bold().for_stderr(), escaped(text)));
}

/// Tells what may have colours, and has nothing in it that others have written but what is [`escaped`].
pub(crate) fn tell_styled(text: &str) {
    // At once, so that lines of several programs in one log do not mix.
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// Text as it is safe to show in a line: what moves the cursor, colours, or turns the direction of writing stands
/// there as it would in a program.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    let is_active = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_active(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// A path in a line of results.
pub(crate) fn shown(path: &Path) -> String {
    escaped(&path.to_string_lossy()).into_owned()
}

/// A path in JSON, which has no other text than UTF-8.
pub(crate) fn json_path(path: &Path) -> serde_json::Value {
    path.to_string_lossy().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_is_active() {
        assert_eq!(escaped("한국어 ~ \"x\""), "한국어 ~ \"x\"");
        for (text, expected) in [
            ("a\nb\t", "a\\nb\\t"),
            ("\u{1b}[31m", "\\u{1b}[31m"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{7f}\r", "\\u{7f}\\r"),
            ("\u{202e}txt.exe\u{2066}", "\\u{202e}txt.exe\\u{2066}"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }
}
