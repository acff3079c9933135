//! Where an export will be found, as its card says it.

use crate::hub::Destination;

/// What programs are told to load.
pub(super) struct Place {
    /// A folder, or a name on the Hub.
    name: String,
    /// Of the Hub, if it is not `main`.
    revision: Option<String>,
    is_on_hub: bool,
}

impl Place {
    pub(super) fn new(destination: Option<&Destination>) -> Self {
        match destination.map(Destination::parts) {
            Some((name, revision)) => {
                let revision = (revision != "main").then(|| revision.to_owned());
                Self { name, revision, is_on_hub: true }
            }
            None => Self { name: "path/of/this/folder".to_owned(), revision: None, is_on_hub: false },
        }
    }

    /// The arguments of `from_pretrained` that say where a model is.
    pub(super) fn arguments(&self) -> String {
        let revision =
            self.revision.as_ref().map(|revision| format!(", revision=\"{revision}\"")).unwrap_or_default();
        format!("\"{}\"{revision}", self.name)
    }

    /// The commands of this program that read it.
    pub(super) fn commands(&self) -> String {
        let prefix = if self.is_on_hub { "hf:" } else { "" };
        let revision = self.revision.as_ref().map(|revision| format!("@{revision}")).unwrap_or_default();
        let whole = format!("{prefix}{}{revision}", self.name);
        format!(
            "electra finetune --model {whole} --task RTE --data GLUE --output results\n\
             electra embed --model {whole} < sentences.txt > vectors.jsonl"
        )
    }
}
