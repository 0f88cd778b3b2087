//! How containers are called by those who ask, and what each is called for sure.
//!
//! The idea: what comes from outside is put into a path of the daemon's API, so it is read
//! strictly, once. Names mean different containers at different times, so a name is good for one
//! look-up; a [`ContainerId`] is good for ever.

use std::fmt;
use std::str::FromStr;

use super::ContainerError;

/// The longest name that Docker gives.
const LONGEST_NAME: usize = 128;

/// Hexadecimal digits of a whole id.
const ID_DIGITS: usize = 64;

/// A container's name, its id, or the beginning of its id: something that may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerName(String);

/// A container's whole id: 64 hexadecimal digits. No other ever has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContainerId(String);

impl ContainerName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// # Errors
/// [`ContainerError::Name`]: no container can have this name.
impl FromStr for ContainerName {
    type Err = ContainerError;

    fn from_str(name: &str) -> Result<Self, ContainerError> {
        let is_fit = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
        let bytes = name.as_bytes();
        let begins_well = bytes.first().is_some_and(u8::is_ascii_alphanumeric);
        if begins_well && bytes.len() <= LONGEST_NAME && bytes.iter().all(is_fit) {
            Ok(Self(name.to_owned()))
        } else {
            Err(ContainerError::Name {
                name: name.chars().take(LONGEST_NAME).collect(),
            })
        }
    }
}

impl ContainerId {
    /// Reads a whole id.
    #[must_use]
    pub fn read(id: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (id.len() == ID_DIGITS && id.bytes().all(is_digit)).then(|| Self(id.to_owned()))
    }

    /// All 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, which people are shown.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_docker_could_have_called_a_container_is_a_name() {
        let check = |name: &str, is_fit: bool| {
            assert_eq!(name.parse::<ContainerName>().is_ok(), is_fit, "{name:?}");
        };
        check("a", true);
        check("autotuner-task-0f-exp1-a1", true);
        check("9f86d081884c", true);
        check("Some_Name.2-x", true);
        check(&"x".repeat(128), true);
        for wrong in [
            "", ".", "..", "-a", "_a", ".a", "a/b", "a%2fb", "../json", "..%2f", "a b", "a\0", "a\n", "模型",
            "a*", "a'", "a?x=1", "a#", "a\\b", "a:b", "a@b",
        ] {
            check(wrong, false);
        }
        check(&"x".repeat(129), false);
    }

    #[test]
    fn a_whole_id_is_all_its_digits() {
        let id = "0123456789abcdef".repeat(4);
        assert_eq!(ContainerId::read(&id).unwrap().short(), "0123456789ab");
        for wrong in [&id[1..], &id.to_uppercase(), &format!("{id}0"), &"g".repeat(64)] {
            assert_eq!(ContainerId::read(wrong), None, "{wrong}");
        }
    }
}
