//! What the environment says of the world beside our own options: where the daemon is, where a
//! hub's models are kept, which proxies there are.
//!
//! The one idea: a container starts with an empty environment, so what an engine in it needs of
//! ours is listed here by name, and nothing else goes in.

use std::ffi::OsString;
use std::path::PathBuf;

use autotuner_core::gpu::GpuVendor;

/// Proxies, in both spellings; tools differ in which they heed.
const PROXIES: [&str; 6] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Where no proxy is to be used, in both spellings.
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// What an engine needs to fetch a model from a hub.
const HUB: [&str; 4] = [
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "HF_ENDPOINT",
    "HF_HUB_OFFLINE",
];

/// An engine asks itself while it starts, which must not go through a proxy.
const ITSELF: &str = "localhost,127.0.0.1,::1";

/// Where the Docker daemon is.
pub(super) fn docker_host(read: impl Fn(&str) -> Option<OsString>) -> Option<String> {
    read("DOCKER_HOST")?.into_string().ok()
}

/// Where the kubeconfig is, the first where several are named; the usual place where there is one.
pub(super) fn kubeconfig(read: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(named) = read("KUBECONFIG") {
        let first = std::env::split_paths(&named).find(|path| !path.as_os_str().is_empty());
        if first.is_some() {
            return first;
        }
    }
    let usual = PathBuf::from(read("HOME")?).join(".kube/config");
    usual.is_file().then_some(usual)
}

/// Where a hub's models are kept, when that is said.
pub(super) fn hub_cache(read: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    read("HF_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// The GPUs that were left to us, by who made them, where that is said.
pub(super) fn visible_gpus(read: impl Fn(&str) -> Option<OsString>) -> Vec<(GpuVendor, String)> {
    let list = |name: &str| read(name)?.into_string().ok();
    let nvidia = list("CUDA_VISIBLE_DEVICES");
    // To HIP an empty list is no list.
    let amd = list("HIP_VISIBLE_DEVICES").filter(|list| !list.is_empty());
    let amd = amd.or_else(|| list("ROCR_VISIBLE_DEVICES"));
    let of = |vendor, list: Option<String>| list.map(|list| (vendor, list));
    [of(GpuVendor::Nvidia, nvidia), of(GpuVendor::Amd, amd)]
        .into_iter()
        .flatten()
        .collect()
}

/// Through which proxy other machines are reached, where one is named and can be used; it knows
/// which of them are reached without.
pub(super) fn service_proxy() -> Option<ureq::Proxy> {
    ureq::Proxy::try_from_env()
}

/// The variables that a container is given of ours.
pub(super) fn for_containers(read: impl Fn(&str) -> Option<OsString>) -> Vec<(String, String)> {
    let value = |name: &str| {
        let value = read(name)?.into_string().ok()?;
        (!value.is_empty()).then(|| (name.to_owned(), value))
    };
    let proxies: Vec<_> = PROXIES.iter().filter_map(|name| value(name)).collect();
    let mut found: Vec<_> = HUB.iter().filter_map(|name| value(name)).collect();
    if !proxies.is_empty() {
        found.extend(proxies);
        let direct = NO_PROXY.iter().find_map(|name| value(name));
        let direct = direct.map_or_else(|| ITSELF.to_owned(), |(_, hosts)| format!("{hosts},{ITSELF}"));
        found.extend(NO_PROXY.map(|name| (name.to_owned(), direct.clone())));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn containers(given: &[(&str, &str)]) -> Vec<(String, String)> {
        for_containers(|name| {
            let (_, value) = given.iter().find(|(known, _)| *known == name)?;
            Some((*value).into())
        })
    }

    #[test]
    fn containers_get_what_they_need_and_nothing_else() {
        let pairs = |expected: &[(&str, &str)]| -> Vec<(String, String)> {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            expected.iter().map(owned).collect()
        };
        assert_eq!(
            containers(&[("PATH", "/bin"), ("AWS_SECRET", "x"), ("HF_TOKEN", "")]),
            []
        );
        assert_eq!(containers(&[("HF_TOKEN", "t")]), pairs(&[("HF_TOKEN", "t")]));
        assert_eq!(
            containers(&[("https_proxy", "http://p:1"), ("no_proxy", "intern")]),
            pairs(&[
                ("https_proxy", "http://p:1"),
                ("NO_PROXY", "intern,localhost,127.0.0.1,::1"),
                ("no_proxy", "intern,localhost,127.0.0.1,::1"),
            ])
        );
    }

    #[test]
    fn gpus_are_left_to_us_by_the_variables_of_their_makers() {
        let check = |given: &[(&str, &str)], expected: &[(GpuVendor, &str)]| {
            let found = visible_gpus(|name| {
                let (_, value) = given.iter().find(|(known, _)| *known == name)?;
                Some((*value).into())
            });
            let found: Vec<_> = found
                .iter()
                .map(|(vendor, list)| (*vendor, list.as_str()))
                .collect();
            assert_eq!(found, expected, "{given:?}");
        };
        use GpuVendor::{Amd, Nvidia};
        check(&[], &[]);
        check(&[("CUDA_VISIBLE_DEVICES", "0,1")], &[(Nvidia, "0,1")]);
        check(&[("CUDA_VISIBLE_DEVICES", "")], &[(Nvidia, "")]);
        check(&[("HIP_VISIBLE_DEVICES", "")], &[]);
        check(
            &[("HIP_VISIBLE_DEVICES", "1"), ("ROCR_VISIBLE_DEVICES", "0")],
            &[(Amd, "1")],
        );
        check(&[("ROCR_VISIBLE_DEVICES", "")], &[(Amd, "")]);
    }
}
