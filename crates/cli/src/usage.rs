//! Options as they were given, and what is wrong with them in one line.

use anyhow::Result;
use clap::Parser;
use clap::error::ErrorKind;

use crate::failure::{Ended, INPUT};
use crate::output;

/// The options; an error that was told where they are wrong, or where they ask for help.
pub(crate) fn parse<T: Parser>() -> Result<T> {
    let error = match T::try_parse() {
        Ok(arguments) => return Ok(arguments),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            error.print()?;
            Err(Ended(0).into())
        }
        // The text of the help, on standard error.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            Err(Ended(INPUT).into())
        }
        _ => {
            output::error(&one_line(&error.render().to_string()));
            Err(Ended(INPUT).into())
        }
    }
}

/// clap's message is a paragraph for what is wrong, paragraphs for advice, the usage, and where there is help.
fn one_line(message: &str) -> String {
    let paragraphs = message.trim().split("\n\n").map(|paragraph| {
        paragraph.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    });
    let told = |text: &String| !text.starts_with("Usage:") && !text.starts_with("For more information");
    let text = paragraphs.filter(told).collect::<Vec<_>>().join("; ");
    format!("{}; see --help", text.strip_prefix("error: ").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    struct Options {
        #[arg(long)]
        run: std::path::PathBuf,
        #[arg(long)]
        step: Option<u64>,
        #[arg(long, value_parser = ["electra", "bert"])]
        masking: Option<String>,
    }

    #[test]
    fn what_is_wrong_is_one_line() {
        let line = |arguments: &[&str]| {
            let arguments = ["electra"].iter().chain(arguments);
            one_line(&Options::try_parse_from(arguments).unwrap_err().render().to_string())
        };
        for (arguments, expected) in [
            (&[][..], "the following required arguments were not provided: --run <RUN>; see --help"),
            (
                &["--run", "a", "--step", "x"],
                "invalid value 'x' for '--step <STEP>': invalid digit found in string; see --help",
            ),
            (
                &["--rum", "a"],
                "unexpected argument '--rum' found; tip: a similar argument exists: '--run'; see --help",
            ),
            (
                &["--run", "a", "--masking", "berd"],
                "invalid value 'berd' for '--masking <MASKING>' [possible values: electra, bert]; \
                 tip: a similar value exists: 'bert'; see --help",
            ),
        ] {
            assert_eq!(line(arguments), expected);
        }
    }
}
