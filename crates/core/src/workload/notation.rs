//! How scenarios are written: `D(100,128)`.
//!
//! The strings are those of genai-bench, plus an answer's length behind an image's size. What it
//! cannot read it names, with what was wrong and what would be right. It does not know what a
//! scenario means.

use std::fmt;
use std::str::FromStr;

use super::scenario::{IMAGE_ANSWER, Scenario};
use crate::problem::closest;

/// Longest prompt or answer that a scenario may ask for, in tokens.
const MOST_TOKENS: u32 = 10_000_000;

/// Widest and highest image, in pixels: as PNG of one bit a pixel it has 32 MiB.
const MOST_PIXELS: u32 = 16_384;

/// Most images of one request.
const MOST_IMAGES: u32 = 64;

/// Kinds and what they look like.
const KINDS: [(&str, &str); 8] = [
    ("D", "D(in,out)"),
    ("N", "N(mean,sd)/(mean,sd)"),
    ("U", "U(min,max)/(min,max) or U(max,max)"),
    ("P", "P(prefix,suffix)/out"),
    ("E", "E(tokens)"),
    ("R", "R(document,query)"),
    ("I", "I(width,height) or I(width,height,count)"),
    ("dataset", "dataset"),
];

/// Kinds that genai-bench has or had and that nothing here sends, with what they stand for.
const STRANGERS: [(&str, &str); 3] = [
    ("A", "audio"),
    ("V", "videos"),
    ("F", "files of prompts, which dataset stands for here"),
];

/// Why a scenario string cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScenarioError(String);

/// As the user writes it, for example `D(100,128)`.
impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed { input, output } => write!(f, "D({input},{output})"),
            Self::Normal { input, output } => {
                write!(f, "N({},{})/({},{})", input.0, input.1, output.0, output.1)
            }
            Self::Uniform { input, output } => {
                write!(f, "U({},{})/({},{})", input.0, input.1, output.0, output.1)
            }
            Self::Prefix {
                prefix,
                suffix,
                output,
            } => write!(f, "P({prefix},{suffix})/{output}"),
            Self::Embed { document } => write!(f, "E({document})"),
            Self::Rerank { document, query } => write!(f, "R({document},{query})"),
            Self::Images {
                width,
                height,
                count,
                output,
            } => {
                write!(f, "I({width},{height}")?;
                if *count != 1 {
                    write!(f, ",{count}")?;
                }
                f.write_str(")")?;
                if *output != IMAGE_ANSWER {
                    write!(f, "/{output}")?;
                }
                Ok(())
            }
            Self::DataSet => f.write_str("dataset"),
        }
    }
}

impl FromStr for Scenario {
    type Err = ScenarioError;

    fn from_str(text: &str) -> Result<Self, ScenarioError> {
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        read(&compact).map_err(|why| ScenarioError(format!("scenario \"{text}\" {why}")))
    }
}

fn read(text: &str) -> Result<Scenario, String> {
    if text.eq_ignore_ascii_case("dataset") {
        return Ok(Scenario::DataSet);
    }
    let Some((kind, rest)) = text.split_once('(') else {
        let shapes: Vec<&str> = KINDS.iter().map(|(_, shape)| *shape).collect();
        return Err(format!("is not one of {}", shapes.join(", ")));
    };
    let shape = KINDS.iter().find(|(known, _)| *known == kind);
    let Some((_, shape)) = shape else {
        return Err(unknown(kind));
    };
    // A single number behind the parentheses is a group of its own.
    let (rest, last) = match rest.rsplit_once(")/") {
        Some((rest, last)) if !last.contains(['(', ')']) => (rest, Some(last)),
        _ => match rest.strip_suffix(')') {
            Some(rest) => (rest, None),
            None => return Err("does not end with a closing parenthesis".into()),
        },
    };
    let mut groups: Vec<Vec<&str>> = rest
        .split(")/(")
        .map(|group| group.split(',').collect())
        .collect();
    groups.extend(last.map(|last| vec![last]));
    let groups: Vec<&[&str]> = groups.iter().map(Vec::as_slice).collect();
    of_kind(kind, &groups).unwrap_or_else(|| Err(format!("needs {shape}")))
}

/// `None` where the groups are not those of this kind.
fn of_kind(kind: &str, groups: &[&[&str]]) -> Option<Result<Scenario, String>> {
    Some(match (kind, groups) {
        ("D", [[input, output]]) => fixed(input, output),
        ("N", [[input, by], [output, output_by]]) => normal((input, by), (output, output_by)),
        ("U", [[input, output]]) => uniform(("1", input), ("1", output)),
        ("U", [[least, most], [least_out, most_out]]) => uniform((least, most), (least_out, most_out)),
        ("P", [[prefix, suffix], [output]]) => prefixed(prefix, suffix, output),
        ("E", [[document]]) => tokens(document).map(|document| Scenario::Embed { document }),
        ("R", [[document, query]]) => reranked(document, query),
        ("I", [[width, height]]) => images(width, height, "1", None),
        ("I", [[width, height, count]]) => images(width, height, count, None),
        ("I", [[width, height], [output]]) => images(width, height, "1", Some(output)),
        ("I", [[width, height, count], [output]]) => images(width, height, count, Some(output)),
        _ => return None,
    })
}

fn unknown(kind: &str) -> String {
    if let Some((_, what)) = STRANGERS.iter().find(|(known, _)| *known == kind) {
        return format!("is of kind {kind}, {what}: this load generator does not send it");
    }
    let kinds = KINDS.map(|(kind, _)| kind);
    match closest(kind, kinds) {
        Some(known) if !kind.is_empty() => {
            format!("has the unknown kind \"{kind}\"; did you mean \"{known}\"?")
        }
        _ => format!("has the unknown kind \"{kind}\"; use one of {}", kinds.join(", ")),
    }
}

fn fixed(input: &str, output: &str) -> Result<Scenario, String> {
    Ok(Scenario::Fixed {
        input: tokens(input)?,
        output: tokens(output)?,
    })
}

fn normal(input: (&str, &str), output: (&str, &str)) -> Result<Scenario, String> {
    let pair = |(mean, by): (&str, &str)| Ok::<_, String>((f64::from(tokens(mean)?), spread(by)?));
    Ok(Scenario::Normal {
        input: pair(input)?,
        output: pair(output)?,
    })
}

fn uniform(input: (&str, &str), output: (&str, &str)) -> Result<Scenario, String> {
    let pair = |(least, most): (&str, &str)| {
        let (least, most) = (tokens(least)?, tokens(most)?);
        if least > most {
            return Err(format!(
                "has a range that ends before it begins: {least} to {most}"
            ));
        }
        Ok((least, most))
    };
    Ok(Scenario::Uniform {
        input: pair(input)?,
        output: pair(output)?,
    })
}

fn prefixed(prefix: &str, suffix: &str, output: &str) -> Result<Scenario, String> {
    Ok(Scenario::Prefix {
        prefix: tokens(prefix)?,
        suffix: tokens(suffix)?,
        output: tokens(output)?,
    })
}

fn reranked(document: &str, query: &str) -> Result<Scenario, String> {
    Ok(Scenario::Rerank {
        document: tokens(document)?,
        query: tokens(query)?,
    })
}

fn images(width: &str, height: &str, count: &str, output: Option<&str>) -> Result<Scenario, String> {
    Ok(Scenario::Images {
        width: limited("width", width, MOST_PIXELS, "pixels")?,
        height: limited("height", height, MOST_PIXELS, "pixels")?,
        count: limited("number of images", count, MOST_IMAGES, "images")?,
        output: output.map_or(Ok(IMAGE_ANSWER), tokens)?,
    })
}

fn tokens(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(0) => Err("has a length of 0; lengths are at least 1 token".into()),
        Ok(count) if count > MOST_TOKENS => {
            Err(format!("has a length of {count}; at most {MOST_TOKENS} tokens"))
        }
        Ok(count) => Ok(count),
        Err(_) => Err(format!("has the length \"{text}\", which is not a whole number")),
    }
}

fn limited(what: &str, text: &str, most: u32, unit: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!("has the {what} \"{text}\"; give 1 to {most} {unit}")),
    }
}

fn spread(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(deviation) if deviation.is_finite() && deviation >= 0.0 => Ok(deviation),
        _ => Err(format!(
            "has the deviation \"{text}\", which is not a number of at least 0"
        )),
    }
}
