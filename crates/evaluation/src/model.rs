//! Fine-tuned networks as folders in the Hub's layout.
//!
//! transformers has no class for the paper's head, a linear layer on the pooled vector. But the exact GELU has
//! GELU(x) − GELU(−x) = x, so `ElectraForSequenceClassification` computes the same logits with the dense layer
//! (W; −W; 0), the bias (b; −b; 0) and the output (I, −I, 0): that is how such a head is written, where two
//! rows a class fit into the hidden size. Nor has transformers mean pooling: the tensors of such a head are
//! called `mean_classifier.…`, so that it says that they are missing and does not compute something else.
//!
//! `ModernBertForSequenceClassification` pools by the mean too, as `classifier_pooling` says, but has a LayerNorm in its head,
//! so that there is no place for the paper's: its tensors are called `linear_classifier.…`.

use std::collections::BTreeMap;
use std::path::Path;

use electra_encoder::{Architecture, Backbone, Compute, HubFolder, Part, Weights};
use electra_tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tch::{Kind, Tensor};

use crate::config::{Form, HeadShape, Pooling};
use crate::heads::Problem;
use crate::network::TaskNetwork;
use crate::{Error, pretrained};

const CLASSIFIER: &str = "classifier.";
const MULTI_LABEL: &str = "multi_label_classification";
const MEAN_CLASSIFIER: &str = "mean_classifier.";
/// Of the paper's head on ModernBERT.
const LINEAR_CLASSIFIER: &str = "linear_classifier.";

/// What predictions need to know of the task: fields of `config.json` that transformers passes over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TaskInfo {
    /// Of a task with questions that have no answer, how much more "no answer" has to score to be the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) none_threshold: Option<f64>,
    /// Of sequences, whether each is two texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text_pair: Option<bool>,
    /// Of choices, what they are called, by position.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) choice_labels: Vec<String>,
    /// Of several labels, what stands between them where they are written as one text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) label_separator: Option<String>,
}

/// Writes a network with its tokenizer.
pub(crate) fn write(
    network: &TaskNetwork,
    tokenizer: &Tokenizer,
    info: &TaskInfo,
    folder: &Path,
) -> Result<(), Error> {
    let weights = tch::no_grad(|| tensors(network))?;
    let hub =
        HubFolder { config: network.config().clone(), architecture: architecture(&network.problem), weights };
    let mut fields = fields(network);
    if let Value::Object(info) = json!(info) {
        fields.extend(info);
    }
    hub.write_with(folder, &fields)?;
    Ok(tokenizer.save_with_model(folder, hub.config.max_position_embeddings, hub.config.has_token_types())?)
}

fn architecture(problem: &Problem) -> Architecture {
    match problem {
        Problem::Classes(_) | Problem::MultiLabel(_) | Problem::Value => Architecture::SequenceClassification,
        Problem::Words(_) => Architecture::TokenClassification,
        Problem::Spans => Architecture::QuestionAnswering,
        Problem::Choice => Architecture::MultipleChoice,
    }
}

/// What `config.json` says of the head.
fn fields(network: &TaskNetwork) -> Map<String, Value> {
    let mut fields = Map::new();
    let only = ["LABEL_0".to_owned()];
    let labels = match &network.problem {
        Problem::Classes(labels) | Problem::MultiLabel(labels) | Problem::Words(labels) => &labels[..],
        Problem::Value => &only,
        Problem::Spans | Problem::Choice => return fields,
    };
    let numbered = || labels.iter().enumerate();
    let by_id: Map<String, Value> = numbered().map(|(id, label)| (id.to_string(), json!(label))).collect();
    let by_label: Map<String, Value> = numbered().map(|(id, label)| (label.clone(), json!(id))).collect();
    fields.insert("id2label".to_owned(), Value::Object(by_id));
    fields.insert("label2id".to_owned(), Value::Object(by_label));
    if let Some(kind) = problem_type(&network.problem) {
        fields.insert("problem_type".to_owned(), json!(kind));
        if network.form.pooling == Pooling::Mean {
            fields.insert("classifier_pooling".to_owned(), json!("mean"));
        }
    }
    fields
}

/// What transformers calls it, of whole texts.
fn problem_type(problem: &Problem) -> Option<&'static str> {
    match problem {
        Problem::Classes(_) => Some("single_label_classification"),
        Problem::MultiLabel(_) => Some(MULTI_LABEL),
        Problem::Value => Some("regression"),
        Problem::Words(_) | Problem::Spans | Problem::Choice => None,
    }
}

/// The network's tensors under the names of its class.
fn tensors(network: &TaskNetwork) -> Result<Weights, Error> {
    let mut tensors = by_name(&Weights::from_var_store(network.var_store(), Part::ALL));
    let is_modernbert = network.config().architecture == Backbone::ModernBert;
    if is_modernbert && is_linear(network) {
        rename(&mut tensors, CLASSIFIER, LINEAR_CLASSIFIER);
    }
    if problem_type(&network.problem).is_some() && !is_modernbert {
        as_transformers(&mut tensors)?;
        if network.form.pooling == Pooling::Mean {
            rename(&mut tensors, CLASSIFIER, MEAN_CLASSIFIER);
        }
    }
    Ok(Weights::new(tensors))
}

/// Whether the head is the paper's, one layer on the pooled vector.
fn is_linear(network: &TaskNetwork) -> bool {
    problem_type(&network.problem).is_some() && network.form.head == HeadShape::Paper
}

fn by_name(weights: &Weights) -> BTreeMap<String, Tensor> {
    weights.iter().map(|(name, tensor)| (name.to_owned(), tensor.shallow_clone())).collect()
}

/// The paper's head in the form of `ElectraForSequenceClassification`, if there is room for it.
fn as_transformers(tensors: &mut BTreeMap<String, Tensor>) -> Result<(), Error> {
    let get = |name: &str| tensors.get(&format!("{CLASSIFIER}{name}")).map(Tensor::shallow_clone);
    let (Some(weight), Some(bias)) = (get("weight"), get("bias")) else { return Ok(()) };
    let [classes, size] = weight.size()[..] else { return Ok(()) };
    if 2 * classes > size {
        return Ok(());
    }
    let rest = size - 2 * classes;
    let zeros = |shape: &[i64]| Tensor::f_zeros(shape, (Kind::Float, weight.device()));
    let identity = Tensor::f_eye(classes, (Kind::Float, weight.device()))?;
    let dense = Tensor::f_cat(&[&weight, &weight.f_neg()?, &zeros(&[rest, size])?], 0)?;
    let dense_bias = Tensor::f_cat(&[&bias, &bias.f_neg()?, &zeros(&[rest])?], 0)?;
    let out = Tensor::f_cat(&[&identity, &identity.f_neg()?, &zeros(&[classes, rest])?], 1)?;
    tensors.retain(|name, _| !name.starts_with(CLASSIFIER));
    for (name, tensor) in [
        ("dense.weight", dense),
        ("dense.bias", dense_bias),
        ("out_proj.weight", out),
        ("out_proj.bias", zeros(&[classes])?),
    ] {
        tensors.insert(format!("{CLASSIFIER}{name}"), tensor);
    }
    Ok(())
}

fn rename(tensors: &mut BTreeMap<String, Tensor>, from: &str, to: &str) {
    let renamed = std::mem::take(tensors).into_iter().map(|(name, tensor)| match name.strip_prefix(from) {
        Some(rest) => (format!("{to}{rest}"), tensor),
        None => (name, tensor),
    });
    *tensors = renamed.collect();
}

/// What a folder of a fine-tuned network holds.
pub(crate) struct FineTuned {
    pub(crate) network: TaskNetwork,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) info: TaskInfo,
    /// What to say of tensors that the network has no use for.
    pub(crate) note: Option<String>,
}

/// A network, its tokenizer and what is known of its task, from a folder of [`write`] or of a class of transformers.
pub(crate) fn read(folder: &Path, compute: Compute) -> Result<FineTuned, Error> {
    let (mut hub, fields) = HubFolder::read_with(folder)?;
    let note = hub.weights.note();
    let tokenizer = pretrained::tokenizer(folder, &hub.config)?;
    let problem = problem(folder, &hub, &fields)?;
    let has = |prefix: &str| hub.weights.iter().any(|(name, _)| name.starts_with(prefix));
    let (is_mean, is_linear) = match hub.config.architecture {
        Backbone::Electra => {
            (has(MEAN_CLASSIFIER), has("classifier.weight") || has("mean_classifier.weight"))
        }
        Backbone::ModernBert => {
            (fields.get("classifier_pooling") == Some(&json!("mean")), has(LINEAR_CLASSIFIER))
        }
    };
    let pooling = if is_mean { Pooling::Mean } else { Pooling::Cls };
    let head = if is_linear { HeadShape::Paper } else { HeadShape::Transformers };
    if has(MEAN_CLASSIFIER) || has(LINEAR_CLASSIFIER) {
        let mut tensors = by_name(&hub.weights);
        rename(&mut tensors, MEAN_CLASSIFIER, CLASSIFIER);
        rename(&mut tensors, LINEAR_CLASSIFIER, CLASSIFIER);
        hub.weights = Weights::new(tensors);
    }
    let network = TaskNetwork::from_hub(&hub, &problem, Form { head, pooling }, compute)?;
    // Other programs that write fields of these names mean something else by them.
    let info = serde_json::from_value(Value::Object(fields)).unwrap_or_default();
    Ok(FineTuned { network, tokenizer, info, note })
}

/// What a fine-tuned network predicts, by its `config.json`.
fn problem(folder: &Path, hub: &HubFolder, fields: &Map<String, Value>) -> Result<Problem, Error> {
    let (architecture, backbone) = (hub.architecture, hub.config.architecture);
    let refuse = |field: &str, found: String, expected: &str| Error::Model {
        folder: folder.to_owned(),
        field: field.to_owned(),
        found,
        expected: expected.to_owned(),
    };
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    // Without labels transformers has two.
    let labels = || match field("id2label") {
        Value::Null => Ok(vec!["LABEL_0".to_owned(), "LABEL_1".to_owned()]),
        found => labels(&found)
            .ok_or_else(|| refuse("id2label", found.to_string(), "a label for each of \"0\", \"1\", …")),
    };
    match architecture {
        Architecture::SequenceClassification => {
            let (labels, kind) = (labels()?, field("problem_type"));
            match kind.as_str() {
                Some(MULTI_LABEL) => Ok(Problem::MultiLabel(labels)),
                Some("regression") => Ok(Problem::Value),
                None if labels.len() == 1 => Ok(Problem::Value),
                _ => Ok(Problem::Classes(labels)),
            }
        }
        Architecture::TokenClassification => Ok(Problem::Words(labels()?)),
        Architecture::QuestionAnswering => Ok(Problem::Spans),
        Architecture::MultipleChoice => {
            // How a row is summed up; other values would be another network.
            for (name, expected) in [
                ("summary_type", json!("first")),
                ("summary_use_proj", json!(true)),
                ("summary_activation", json!("gelu")),
            ] {
                if let Some(found) = fields.get(name).filter(|found| **found != expected) {
                    return Err(refuse(name, found.to_string(), &expected.to_string()));
                }
            }
            Ok(Problem::Choice)
        }
        Architecture::PreTraining
        | Architecture::MaskedLm
        | Architecture::CausalLm
        | Architecture::Encoder => Err(refuse(
            "architectures",
            architecture.name(backbone).to_owned(),
            "a fine-tuned network, such as electra finetune writes",
        )),
    }
}

fn labels(by_id: &Value) -> Option<Vec<String>> {
    let by_id = by_id.as_object()?;
    (0..by_id.len()).map(|id| Some(by_id.get(&id.to_string())?.as_str()?.to_owned())).collect()
}
