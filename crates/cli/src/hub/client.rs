//! The Hub's client, and what its refusals mean to a user.

use hf_hub::{HFClient, HFClientSync, HFError, HFRepositorySync, RepoTypeModel};

use super::Error;
use super::name::Model;
use crate::failure::{self, FAILED, INPUT};

/// Tries of a request after the first: a server that is busy may be free within seconds.
const RETRIES: usize = 3;

/// The Hub's code for a model that is not there, or not for you.
const NO_MODEL: &str = "RepoNotFound";

/// A client by the environment's settings, and where it asks.
pub(super) struct Client {
    client: HFClientSync,
    endpoint: String,
}

impl Client {
    pub(super) fn new() -> Result<Self, Error> {
        let mut builder = HFClient::builder().retry_max_attempts(RETRIES);
        // A line end would make the header invalid, and the library would then send none.
        if let Some(token) = variable("HF_TOKEN") {
            builder = builder.token(token.trim());
        }
        let cannot = |error: HFError| Error::new(INPUT, format!("the Hub's client (HF_ENDPOINT): {error}"));
        let client = builder.build().map_err(cannot)?;
        let endpoint = client.endpoint().to_owned();
        Ok(Self { client: HFClientSync::from_inner(client).map_err(cannot)?, endpoint })
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(super) fn repository(&self, model: &Model) -> HFRepositorySync<RepoTypeModel> {
        self.client.model(model.owner.as_str(), model.name.as_str())
    }

    #[cfg(feature = "torch")]
    pub(super) fn get(&self) -> &HFClientSync {
        &self.client
    }

    /// What an error means for `what`, such as a model; `advice` is for whoever is not known to the Hub or may not do it.
    pub(super) fn explain(&self, what: &str, error: HFError, advice: &str) -> Error {
        let Self { endpoint, .. } = self;
        let no_model = format!("{what}: {endpoint} has no such model, or it is private: {advice}");
        match error {
            // Whoever is not known is not told whether a model is private or not there.
            HFError::AuthRequired { context } if context.error_code.as_deref() == Some(NO_MODEL) => {
                Error::new(INPUT, no_model)
            }
            HFError::AuthRequired { context } => {
                let said = context.server_message.unwrap_or_default();
                let known = if said.is_empty() { String::new() } else { format!(" ({said})") };
                Error::new(INPUT, format!("{what}: {endpoint} asks who you are{known}: {advice}"))
            }
            HFError::Forbidden { context } => {
                let said = context.server_message.unwrap_or_else(|| "the token does not allow it".to_owned());
                Error::new(INPUT, format!("{what}: {endpoint} refuses: {said}; {advice}"))
            }
            HFError::RepoNotFound { .. } => Error::new(INPUT, no_model),
            HFError::RevisionNotFound { revision, context, .. } => {
                let code = context.and_then(|context| context.error_code);
                let message = match code.as_deref() {
                    Some(NO_MODEL) => no_model,
                    _ => format!("{what}: the model has no revision {revision}"),
                };
                Error::new(INPUT, message)
            }
            HFError::EntryNotFound { path, .. } => {
                Error::new(INPUT, format!("{what}: the model has no {path}"))
            }
            HFError::Request { source, .. } => {
                let cause = innermost(&source);
                let message = if source.is_connect() || source.is_timeout() {
                    format!("{what}: cannot reach {endpoint}: {cause}")
                } else {
                    format!("{what}: the connection to {endpoint} broke: {cause}")
                };
                Error::new(FAILED, message)
            }
            HFError::RateLimited { .. } => {
                let more = if variable("HF_TOKEN").is_some() {
                    ""
                } else {
                    "; with a token (HF_TOKEN) it allows more"
                };
                Error::new(FAILED, format!("{what}: {endpoint} is asked too often: try again later{more}"))
            }
            HFError::Http { context } => {
                let status = context.status;
                let said = context.server_message.map(|said| format!(": {said}")).unwrap_or_default();
                let code = if status.is_server_error() { FAILED } else { INPUT };
                Error::new(code, format!("{what}: {endpoint} answers {status}{said}"))
            }
            HFError::Io(error) => {
                let place = hf_hub::resolve_cache_dir();
                let place = place.display();
                let message =
                    format!("{what}: {place}, the Hub's cache (HF_HUB_CACHE names another): {error}");
                let is_of_system = error.raw_os_error().is_some();
                Error::new(if is_of_system { failure::exit_code(&error.into()) } else { FAILED }, message)
            }
            error => Error::new(FAILED, format!("{what}: {error}")),
        }
    }
}

/// Whether the Hub could not be asked, so that what is in the cache is the best that there is.
pub(super) fn is_unreachable(error: &HFError) -> bool {
    match error {
        HFError::Request { source, .. } => source.is_connect() || source.is_timeout() || source.is_request(),
        HFError::Http { context } => context.status.is_server_error(),
        _ => false,
    }
}

/// Whether the environment forbids to ask anybody, by the rule of `huggingface_hub`.
pub(super) fn is_offline() -> bool {
    let named = variable("HF_HUB_OFFLINE").or_else(|| variable("TRANSFORMERS_OFFLINE"));
    named.is_some_and(|value| ["1", "ON", "YES", "TRUE"].contains(&&*value.to_uppercase()))
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
