//! Writes a model file: all of it or nothing.
//!
//! The bytes go to a temporary file in the same folder, which takes the wanted name when it is
//! whole. Nobody ever reads half a model, and several writers of the same file do not disturb each
//! other: the last one stays, and all were the same.

use std::fs::{self, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::gguf::{self, Entry};
use crate::metadata;
use crate::quantize;
use crate::random::Random;
use crate::recipe::{Recipe, RecipeProblem, WeightType};
use crate::tensors::{self, Tensor};
use crate::vocabulary::vocabulary;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// How many weights the model has.
    pub parameters: u64,
    /// How many tensors hold them.
    pub tensors: usize,
    /// How many tokens the vocabulary has.
    pub vocabulary: usize,
    /// Size of the file, in bytes.
    pub bytes: u64,
}

/// Why no model file was written; whatever stood at the path before is still there.
#[derive(Debug, thiserror::Error)]
pub enum WriteModelError {
    /// No model can be made after the recipe.
    #[error("the model's sizes do not fit together")]
    Recipe {
        /// Which rule is broken.
        #[from]
        source: RecipeProblem,
    },
    /// The folder that the file belongs in could not be made.
    #[error("could not make the folder {}", folder.display())]
    MakeFolder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The temporary file could not be made or written.
    #[error("could not write a temporary file in {}", folder.display())]
    WriteTemporary {
        /// The folder that it was to be in.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The finished file could not be given its name.
    #[error("could not put the finished model at {}", path.display())]
    Rename {
        /// The name.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes the model of a recipe to `path`, replacing what is there.
///
/// The same recipe makes the same bytes. Missing folders on the way are made.
///
/// # Errors
///
/// The recipe breaks a rule, or the file system refuses something; no file appears then.
pub fn write_gguf(recipe: &Recipe, path: &Path) -> Result<Summary, WriteModelError> {
    recipe.check()?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(|source| WriteModelError::MakeFolder {
        folder: folder.to_owned(),
        source,
    })?;
    let in_folder = |source| WriteModelError::WriteTemporary {
        folder: folder.to_owned(),
        source,
    };
    // Readable by all, as any other file would be: a container may run as someone else.
    let mut temporary = tempfile::Builder::new()
        .prefix(".tiny-model-")
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(folder)
        .map_err(in_folder)?;
    write_model(recipe, temporary.as_file_mut()).map_err(in_folder)?;
    temporary.as_file().sync_all().map_err(in_folder)?;
    let bytes = temporary.as_file().metadata().map_err(in_folder)?.len();
    temporary
        .persist(path)
        .map_err(|refusal| WriteModelError::Rename {
            path: path.to_owned(),
            source: refusal.error,
        })?;
    Ok(Summary {
        parameters: recipe.parameters(),
        tensors: tensors::plan(recipe).len(),
        vocabulary: vocabulary().tokens.len(),
        bytes,
    })
}

/// Writes header and tensors, row by row, so that no more than one row is ever in memory.
fn write_model(recipe: &Recipe, file: &mut fs::File) -> io::Result<()> {
    let plan = tensors::plan(recipe);
    let entries: Vec<Entry> = plan
        .iter()
        .map(|tensor| entry(tensor, recipe.weights))
        .collect();
    let mut out = BufWriter::new(file);
    out.write_all(&gguf::header(&metadata::pairs(recipe), &entries))?;
    for (stream, tensor) in (0..).zip(&plan) {
        let mut random = Random::new(recipe.seed, stream);
        write_tensor(tensor, recipe.weights, &mut random, &mut out)?;
        let size = tensor.size_in_bytes(recipe.weights);
        out.write_all(&vec![0; gguf::padding(size)])?;
    }
    out.flush()
}

fn write_tensor(
    tensor: &Tensor,
    weights: WeightType,
    random: &mut Random,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut row = vec![0.0_f32; tensor.row_length as usize];
    let mut bytes = Vec::new();
    for number in 0..tensor.rows as usize {
        tensors::fill_row(tensor, number, random, &mut row);
        bytes.clear();
        if tensor.is_vector() {
            row.iter()
                .for_each(|weight| bytes.extend(weight.to_le_bytes()));
        } else {
            quantize::append_row(&row, weights, &mut bytes);
        }
        out.write_all(&bytes)?;
    }
    Ok(())
}

fn entry(tensor: &Tensor, weights: WeightType) -> Entry {
    let row_length = u64::from(tensor.row_length);
    let (dimensions, format) = if tensor.is_vector() {
        (vec![row_length], metadata::SINGLE_PRECISION)
    } else {
        (
            vec![row_length, u64::from(tensor.rows)],
            metadata::format_number(weights),
        )
    };
    Entry {
        name: tensor.name.clone(),
        dimensions,
        format,
        size_in_bytes: tensor.size_in_bytes(weights),
    }
}
