//! Trains a vocabulary on text files and saves it in the Hub's layout.
//!
//! ```text
//! cargo run -p electra-tokenizer --example train -- 400 uncased folder/ text.txt more.txt
//! ```

#![allow(clippy::print_stdout, reason = "an example")]

use std::error::Error;

use electra_text::{Inputs, ReadConfig, Separator};
use electra_tokenizer::{TrainConfig, train_from_files};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [vocab_size, case, folder, files @ ..] = arguments.as_slice() else {
        return Err("usage: train VOCAB_SIZE cased|uncased FOLDER FILE…".into());
    };
    let vocab_size = vocab_size.parse()?;
    let config = match case.as_str() {
        "cased" => TrainConfig::cased(vocab_size),
        "uncased" => TrainConfig::uncased(vocab_size),
        _ => return Err("expected cased or uncased".into()),
    };
    let trained = train_from_files(&config, Inputs::expand(files)?, ReadConfig::new(Separator::BlankLine))?;
    trained.tokenizer.save(folder)?;
    println!("{}", serde_json::to_string_pretty(&trained.report)?);
    Ok(())
}
