//! Batches as files, so that two programs train on the same ones.

use std::path::Path;

use electra_data::{Batch, Column, ColumnData, ColumnKind, Data, Loader};
use electra_encoder::Weights;
use electra_objective::ModelConfig;
use tch::Tensor;

/// Batches in a file.
const COUNT: u64 = 4;

type Error = Box<dyn std::error::Error>;

/// Writes `model.json`, the objective with its networks, and `batches.safetensors`, the tensors of each batch under
/// its number: `0.input_ids` and so on, as [`Batch`] has them.
///
/// # Errors
/// If a file cannot be written or the corpus is damaged.
pub fn save(folder: &Path, objective: &str, model: &ModelConfig, loader: &Loader<'_>) -> Result<(), Error> {
    std::fs::create_dir_all(folder)?;
    let description = serde_json::json!({
        "objective": objective, "encoder": model.encoder, "generator": model.generator,
    });
    std::fs::write(folder.join("model.json"), description.to_string())?;
    let mut tensors = Vec::new();
    for step in 0..COUNT {
        let batch = loader.batch(step)?;
        let rows = batch.rows as i64;
        let mut put = |name: &str, tensor: Tensor| {
            tensors.push((format!("{step}.{name}"), tensor.view([rows, -1])));
        };
        put("input_ids", Tensor::from_slice(&batch.input_ids));
        put("attention_mask", Tensor::from_slice(&batch.attention_mask));
        put("token_type_ids", Tensor::from_slice(&batch.token_type_ids));
        for ColumnData { column, data } in &batch.columns {
            let tensor = match data {
                Data::Ids(ids) => Tensor::from_slice(ids),
                Data::Flags(flags) => Tensor::from_slice(flags),
                Data::Reals(reals) => Tensor::from_slice(reals),
            };
            put(column.name, tensor);
        }
    }
    Ok(Weights::new(tensors).save(&folder.join("batches.safetensors"))?)
}

/// The batches that [`save`] wrote. Their rows are examples 0 and so on.
///
/// # Errors
/// If the file is missing or another one.
pub fn read(folder: &Path) -> Result<Vec<Batch>, Error> {
    let path = folder.join("batches.safetensors");
    let tensors = Weights::read(&path)?;
    let mut batches = Vec::new();
    while tensors.get(&format!("{}.input_ids", batches.len())).is_some() {
        let get = |name: &str| {
            let name = format!("{}.{name}", batches.len());
            tensors.get(&name).ok_or_else(|| format!("{}: no tensor {name}", path.display()))
        };
        let ints = |name| -> Result<Vec<i64>, Error> { Ok(Vec::try_from(get(name)?.reshape([-1]))?) };
        let bools = |name| -> Result<Vec<bool>, Error> { Ok(Vec::try_from(get(name)?.reshape([-1]))?) };
        let reals = |name| -> Result<Vec<f32>, Error> { Ok(Vec::try_from(get(name)?.reshape([-1]))?) };
        let length = get("input_ids")?.size2()?.1 as usize;
        let slots = get("masked_positions")?.size2()?.1 as usize;
        let columns = [
            Column::ids("masked_input_ids", length),
            Column::ids("masked_positions", slots),
            Column::flags("masked_valid", slots),
            Column::flags("masked_distinct", slots),
            Column::reals("uniforms", slots),
        ];
        let data = |column: Column| -> Result<ColumnData, Error> {
            let data = match column.kind {
                ColumnKind::Ids => Data::Ids(ints(column.name)?),
                ColumnKind::Flags => Data::Flags(bools(column.name)?),
                ColumnKind::Reals => Data::Reals(reals(column.name)?),
            };
            Ok(ColumnData { column, data })
        };
        batches.push(Batch::from_arrays(
            length,
            ints("input_ids")?,
            bools("attention_mask")?,
            ints("token_type_ids")?,
            columns.into_iter().map(data).collect::<Result<_, _>>()?,
        ));
    }
    if batches.is_empty() { Err(format!("{}: no batches", path.display()).into()) } else { Ok(batches) }
}
