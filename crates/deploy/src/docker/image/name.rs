//! What an image's name says: which registry, which repository there, which of its images.
//!
//! The idea: two spellings of one repository (`busybox`, `docker.io/library/busybox`) become
//! one, so that a digest can be matched to the name it was asked for by. Nothing in here asks
//! anyone whether there is such an image.

/// The registry that is meant when a name has none.
const DEFAULT_REGISTRY: &str = "docker.io";

/// Where names without a registry and without a folder are.
const DEFAULT_FOLDER: &str = "library/";

/// The folder of the images that we build and nobody publishes.
const OUR_FOLDER: &str = "inference-autotuner/";

/// What an image is asked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ImageName {
    /// Its content's id: `sha256:…`.
    Id,
    /// A name that a registry may know.
    Named(Named),
}

/// A name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// Host, with a port where one is given.
    pub(super) registry: String,
    /// The path in it.
    pub(super) path: String,
    /// The tag, `latest` when neither tag nor digest is given.
    pub(super) tag: Option<String>,
    /// The digest of its manifest: `sha256:…`.
    pub(super) digest: Option<String>,
}

impl ImageName {
    /// Takes a reference apart.
    pub(crate) fn parse(reference: &str) -> Result<Self, &'static str> {
        if is_digest(reference) {
            return Ok(Self::Id);
        }
        Named::parse(reference).map(Self::Named)
    }

    /// Which of an image's `name@digest` pairs is this name's.
    pub(super) fn own_digest(&self, digests: &[String]) -> Option<String> {
        let Self::Named(own) = self else { return None };
        let is_own = |digest: &&String| {
            Named::parse(digest).is_ok_and(|other| {
                (&other.registry, &other.path) == (&own.registry, &own.path)
                    && (own.digest.is_none() || own.digest == other.digest)
            })
        };
        digests.iter().find(is_own).cloned()
    }
}

impl Named {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) if is_digest(digest) => (name, Some(digest.to_owned())),
            Some(_) => return Err("its digest is not of the form sha256: and 64 hexadecimal digits"),
            None => (text, None),
        };
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (name, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err("its tag is empty or has characters that no tag has");
        }
        let (registry, path) = match name.split_once('/') {
            Some((host, path)) if is_host(host) => (host, path.to_owned()),
            Some(_) => (DEFAULT_REGISTRY, name.to_owned()),
            None => (DEFAULT_REGISTRY, format!("{DEFAULT_FOLDER}{name}")),
        };
        let registry = if registry == "index.docker.io" {
            DEFAULT_REGISTRY
        } else {
            registry
        };
        if !is_path(&path) {
            return Err("an image's name has lower-case letters, digits, '.', '_', '-' and '/' in it");
        }
        let tag = tag.or(if digest.is_none() { Some("latest") } else { None });
        Ok(Self {
            registry: registry.to_owned(),
            path,
            tag: tag.map(str::to_owned),
            digest,
        })
    }

    /// The repository, with its registry.
    pub(crate) fn repository(&self) -> String {
        format!("{}/{}", self.registry, self.path)
    }

    /// Which of the repository's images: a digest says more than a tag.
    pub(crate) fn version(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or("latest")
    }

    /// Whether it is one that we build ourselves. To fetch it from the default registry would
    /// be to run whatever a stranger has put there.
    pub(super) fn is_ours(&self) -> bool {
        self.registry == DEFAULT_REGISTRY && self.path.starts_with(OUR_FOLDER)
    }
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn is_tag(tag: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=128).contains(&tag.len()) && tag.bytes().all(is_inner) && !tag.starts_with(['.', '-'])
}

/// The first part of a name is a host when it looks like one; else it is a folder.
fn is_host(part: &str) -> bool {
    (part == "localhost" || part.contains(['.', ':']))
        && part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']'))
        && part.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[')
}

fn is_path(path: &str) -> bool {
    let is_component = |part: &str| {
        let is_outer =
            |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        is_outer(part.bytes().next())
            && is_outer(part.bytes().next_back())
            && part.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
            })
    };
    path.len() <= 255 && path.split('/').all(is_component)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    /// Registry, path and version of a name.
    fn check(reference: &str, expected: [&str; 3]) {
        let reference = reference.replace("DIGEST", DIGEST);
        let Ok(ImageName::Named(name)) = ImageName::parse(&reference) else {
            panic!("{reference} is no name");
        };
        let version = name.version().replace(DIGEST, "DIGEST");
        assert_eq!(
            [name.registry.as_str(), name.path.as_str(), &version],
            expected,
            "{reference}"
        );
    }

    fn check_refused(reference: &str) {
        let parsed = ImageName::parse(reference);
        assert!(parsed.is_err(), "{reference}: {parsed:?}");
    }

    #[test]
    fn a_name_is_taken_apart() {
        check("busybox", ["docker.io", "library/busybox", "latest"]);
        check("busybox:1.36", ["docker.io", "library/busybox", "1.36"]);
        check(
            "vllm/vllm-openai:v0.11.0",
            ["docker.io", "vllm/vllm-openai", "v0.11.0"],
        );
        check(
            "docker.io/vllm/vllm-openai",
            ["docker.io", "vllm/vllm-openai", "latest"],
        );
        check(
            "index.docker.io/library/busybox",
            ["docker.io", "library/busybox", "latest"],
        );
        check(
            "nvcr.io/nvidia/tritonserver:24.08-py3",
            ["nvcr.io", "nvidia/tritonserver", "24.08-py3"],
        );
        check("localhost/a", ["localhost", "a", "latest"]);
        check("localhost:5000/a", ["localhost:5000", "a", "latest"]);
        check("localhost:5000/a/b:c", ["localhost:5000", "a/b", "c"]);
        check("127.0.0.1:5000/a", ["127.0.0.1:5000", "a", "latest"]);
        check("[::1]:5000/a:b", ["[::1]:5000", "a", "b"]);
        check("Registry.Example/a", ["Registry.Example", "a", "latest"]);
        check("a@DIGEST", ["docker.io", "library/a", "DIGEST"]);
        check("host:1/a/b:tag@DIGEST", ["host:1", "a/b", "DIGEST"]);
        check("a__b/c-d.e", ["docker.io", "a__b/c-d.e", "latest"]);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for reference in [
            "",
            " ",
            "a b",
            "A",
            "a/B",
            "/a",
            "a/",
            "a//b",
            "a:",
            "a:b c",
            "a:.b",
            "-a",
            "a-",
            "../a",
            "a/../b",
            "a?b",
            "a#b",
            "a%2e",
            "a\n",
            "a@sha256:12",
            "a@DIGEST",
            "@",
            ":5000",
            "ü",
        ] {
            check_refused(reference);
        }
        check_refused(&"a".repeat(256));
        check_refused(&format!("a:{}", "b".repeat(129)));
        check_refused(&format!("a@{}", DIGEST.to_uppercase()));
    }

    #[test]
    fn an_id_is_no_name() {
        assert_eq!(ImageName::parse(DIGEST), Ok(ImageName::Id));
    }

    #[test]
    fn only_what_no_registry_can_have_is_ours() {
        let is_ours = |reference: &str| match ImageName::parse(reference) {
            Ok(ImageName::Named(name)) => name.is_ours(),
            other => panic!("{other:?}"),
        };
        assert!(is_ours("inference-autotuner/sim-engine:0.1.0"));
        assert!(is_ours("docker.io/inference-autotuner/sim-engine"));
        assert!(!is_ours("registry.example/inference-autotuner/sim-engine"));
        assert!(!is_ours("inference-autotuner-friends/x"));
        assert!(!is_ours("inference-autotuner"));
    }

    #[test]
    fn the_digest_of_the_own_repository_is_found() {
        let check = |reference: &str, digests: &[&str], expected: Option<&str>| {
            let full = |text: &str| {
                text.replace("DIGEST", DIGEST)
                    .replace("OTHER", &format!("sha256:{}", "f".repeat(64)))
            };
            let digests: Vec<String> = digests.iter().map(|digest| full(digest)).collect();
            let found = ImageName::parse(&full(reference)).unwrap().own_digest(&digests);
            assert_eq!(found, expected.map(full), "{reference} in {digests:?}");
        };
        check("a/b:v1", &["x/y@OTHER", "a/b@DIGEST"], Some("a/b@DIGEST"));
        check("docker.io/a/b:v1", &["a/b@DIGEST"], Some("a/b@DIGEST"));
        check(
            "busybox",
            &["docker.io/library/busybox@DIGEST"],
            Some("docker.io/library/busybox@DIGEST"),
        );
        check("a/b:v1", &["host:5000/a/b@DIGEST"], None);
        check("a/b:v1", &[], None);
        check("a/b@OTHER", &["a/b@DIGEST", "a/b@OTHER"], Some("a/b@OTHER"));
        check("a/b@OTHER", &["a/b@DIGEST"], None);
        check("a/b", &["<none>@<none>", "a/b@DIGEST"], Some("a/b@DIGEST"));
        check(DIGEST, &["a/b@DIGEST"], None);
    }
}
