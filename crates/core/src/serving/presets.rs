//! Base models and serving runtimes of OME that a task may name without describing them.
//!
//! Data, under the names that people know. Each call makes a new specification: nobody can change
//! one for somebody else. Architectures are those of the models' own `config.json`.

use serde_json::{Map, Value, json};

use super::ObjectKind;

/// Names of base models.
pub const BASE_MODELS: [&str; 7] = [
    "llama-3-2-1b-instruct",
    "llama-3-2-3b-instruct",
    "llama-3-1-70b-instruct",
    "llama-3-3-70b-instruct",
    "mistral-7b-instruct",
    "mixtral-8x7b-instruct",
    "deepseek-v3",
];

/// Names of serving runtimes.
pub const SERVING_RUNTIMES: [&str; 5] = [
    "sglang-llama-small",
    "sglang-llama-large",
    "vllm-llama-small",
    "vllm-llama-large",
    "sglang-mixtral-moe",
];

/// The architecture of Llama and of all that is built like it.
const LLAMA: &str = "LlamaForCausalLM";

/// The port that engines of OME answer on.
const PORT: u16 = 8080;

/// The specification of a preset; `None` where there is none of this name.
pub fn preset(kind: ObjectKind, name: &str) -> Option<Map<String, Value>> {
    let spec = match kind {
        ObjectKind::BaseModel => base_model(name)?.spec(name),
        ObjectKind::ServingRuntime => runtime(name)?.spec(),
    };
    match spec {
        Value::Object(spec) => Some(spec),
        _ => None,
    }
}

struct BaseModel {
    vendor: &'static str,
    hub: &'static str,
    architecture: &'static str,
    size: &'static str,
    is_gated: bool,
}

fn base_model(name: &str) -> Option<BaseModel> {
    let model = |vendor, hub, architecture, size| BaseModel {
        vendor,
        hub,
        architecture,
        size,
        is_gated: vendor != "deepseek-ai",
    };
    Some(match name {
        "llama-3-2-1b-instruct" => model("meta", "meta-llama/Llama-3.2-1B-Instruct", LLAMA, "1.24B"),
        "llama-3-2-3b-instruct" => model("meta", "meta-llama/Llama-3.2-3B-Instruct", LLAMA, "3.21B"),
        "llama-3-1-70b-instruct" => model("meta", "meta-llama/Llama-3.1-70B-Instruct", LLAMA, "70.6B"),
        "llama-3-3-70b-instruct" => model("meta", "meta-llama/Llama-3.3-70B-Instruct", LLAMA, "70.6B"),
        "mistral-7b-instruct" => model(
            "mistralai",
            "mistralai/Mistral-7B-Instruct-v0.3",
            "MistralForCausalLM",
            "7.25B",
        ),
        "mixtral-8x7b-instruct" => model(
            "mistralai",
            "mistralai/Mixtral-8x7B-Instruct-v0.1",
            "MixtralForCausalLM",
            "46.7B",
        ),
        "deepseek-v3" => model(
            "deepseek-ai",
            "deepseek-ai/DeepSeek-V3",
            "DeepseekV3ForCausalLM",
            "685B",
        ),
        _ => return None,
    })
}

impl BaseModel {
    fn spec(&self, name: &str) -> Value {
        let mut storage = json!({
            "storageUri": format!("hf://{}", self.hub),
            "path": format!("/raid/models/{}/{name}", self.vendor),
        });
        if self.is_gated {
            storage["key"] = json!("hf-token");
        }
        json!({
            "displayName": format!("{}.{name}", self.vendor),
            "vendor": self.vendor,
            "version": "1.0.0",
            "disabled": false,
            "modelFormat": { "name": "safetensors", "version": "1.0.0" },
            "modelFramework": { "name": "transformers" },
            "modelArchitecture": self.architecture,
            "modelParameterSize": self.size,
            "modelCapabilities": ["TEXT_TO_TEXT"],
            "storage": storage,
        })
    }
}

#[derive(Clone, Copy)]
enum Program {
    Sglang,
    Vllm,
}

struct Runtime {
    program: Program,
    architectures: &'static [&'static str],
    /// Smallest and largest model.
    sizes: [&'static str; 2],
    gpus: u32,
    cpus: u32,
    memory: &'static str,
    /// The part of a GPU's memory that the engine takes.
    memory_part: &'static str,
}

fn runtime(name: &str) -> Option<Runtime> {
    let llama = &[LLAMA, "MistralForCausalLM"];
    let small = Runtime {
        program: Program::Sglang,
        architectures: llama,
        sizes: ["500M", "4B"],
        gpus: 1,
        cpus: 10,
        memory: "30Gi",
        memory_part: "0.9",
    };
    let large = Runtime {
        sizes: ["50B", "100B"],
        gpus: 4,
        cpus: 40,
        memory: "200Gi",
        memory_part: "0.85",
        ..small
    };
    Some(match name {
        "sglang-llama-small" => small,
        "sglang-llama-large" => large,
        "vllm-llama-small" => Runtime {
            program: Program::Vllm,
            ..small
        },
        "vllm-llama-large" => Runtime {
            program: Program::Vllm,
            ..large
        },
        "sglang-mixtral-moe" => Runtime {
            architectures: &["MixtralForCausalLM"],
            sizes: ["40B", "60B"],
            gpus: 2,
            cpus: 20,
            memory: "100Gi",
            ..large
        },
        _ => return None,
    })
}

impl Runtime {
    fn spec(&self) -> Value {
        let amounts = json!({ "cpu": self.cpus, "memory": self.memory, "nvidia.com/gpu": self.gpus });
        let formats = self.architectures.iter().map(|architecture| {
            json!({
                "modelFramework": { "name": "transformers" },
                "modelFormat": { "name": "safetensors", "version": "1.0.0" },
                "modelArchitecture": architecture,
                // A runtime that a task brings along must not be chosen for others' models.
                "autoSelect": false,
                "priority": 1,
            })
        });
        json!({
            "disabled": false,
            "supportedModelFormats": formats.collect::<Value>(),
            "protocolVersions": ["openAI"],
            "modelSizeRange": { "min": self.sizes[0], "max": self.sizes[1] },
            "engineConfig": {
                "annotations": {
                    "prometheus.io/scrape": "true",
                    "prometheus.io/port": PORT.to_string(),
                    "prometheus.io/path": "/metrics",
                },
                "tolerations": [{ "key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule" }],
                "volumes": [{ "name": "dshm", "emptyDir": { "medium": "Memory" } }],
                "runner": {
                    "name": "ome-container",
                    "image": self.image(),
                    "ports": [{ "containerPort": PORT, "name": "http1", "protocol": "TCP" }],
                    "command": self.command(),
                    "volumeMounts": [{ "name": "dshm", "mountPath": "/dev/shm" }],
                    "resources": { "requests": amounts, "limits": amounts },
                    "readinessProbe": probe(self.deep_path(), 60, 200, 3),
                    "livenessProbe": probe("/health", 60, 60, 5),
                    "startupProbe": probe(self.deep_path(), 6, 30, 150),
                },
            },
        })
    }

    fn image(&self) -> &'static str {
        match self.program {
            Program::Sglang => "docker.io/lmsysorg/sglang:v0.4.8.post1-cu126",
            Program::Vllm => "docker.io/vllm/vllm-openai:v0.9.0.1",
        }
    }

    /// A path that answers once the engine can generate.
    fn deep_path(&self) -> &'static str {
        match self.program {
            Program::Sglang => "/health_generate",
            Program::Vllm => "/health",
        }
    }

    fn command(&self) -> Vec<String> {
        let (port, gpus) = (PORT.to_string(), self.gpus.to_string());
        let words: Vec<&str> = match self.program {
            Program::Sglang => vec![
                "python3",
                "-m",
                "sglang.launch_server",
                "--host",
                "0.0.0.0",
                "--port",
                &port,
                "--enable-metrics",
                "--model-path",
                super::OME_MODEL_PATH,
                "--tp-size",
                &gpus,
                "--mem-fraction-static",
                self.memory_part,
            ],
            Program::Vllm => vec![
                "vllm",
                "serve",
                super::OME_MODEL_PATH,
                "--host",
                "0.0.0.0",
                "--port",
                &port,
                "--served-model-name",
                "vllm-model",
                "--tensor-parallel-size",
                &gpus,
                "--max-model-len",
                "131072",
                "--gpu-memory-utilization",
                self.memory_part,
            ],
        };
        words.into_iter().map(str::to_owned).collect()
    }
}

/// A question whether the engine is well.
fn probe(path: &str, every: u32, patience: u32, failures: u32) -> Value {
    json!({
        "httpGet": { "path": path, "port": PORT },
        "periodSeconds": every,
        "timeoutSeconds": patience,
        "failureThreshold": failures,
        "successThreshold": 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_specification_and_no_other_name_has_one() {
        for name in BASE_MODELS {
            let spec = preset(ObjectKind::BaseModel, name).expect(name);
            let path = spec["storage"]["path"].as_str().expect("a path");
            assert!(path.ends_with(&format!("/{name}")), "{path}");
            assert!(preset(ObjectKind::ServingRuntime, name).is_none(), "{name}");
        }
        for name in SERVING_RUNTIMES {
            let spec = preset(ObjectKind::ServingRuntime, name).expect(name);
            assert_eq!(spec["engineConfig"]["runner"]["name"], "ome-container");
        }
        assert_eq!(preset(ObjectKind::BaseModel, "llama"), None);
    }

    #[test]
    fn models_have_the_architecture_that_they_have() {
        let check = |name: &str, architecture: &str| {
            let spec = preset(ObjectKind::BaseModel, name).expect(name);
            assert_eq!(spec["modelArchitecture"], architecture, "{name}");
        };
        check("llama-3-2-1b-instruct", "LlamaForCausalLM");
        check("mistral-7b-instruct", "MistralForCausalLM");
        check("mixtral-8x7b-instruct", "MixtralForCausalLM");
        check("deepseek-v3", "DeepseekV3ForCausalLM");
    }

    #[test]
    fn every_runtime_that_is_made_for_a_preset_model_takes_its_architecture() {
        let check = |runtime: &str, architecture: &str, gpus: u32| {
            let spec = preset(ObjectKind::ServingRuntime, runtime).expect(runtime);
            let formats = spec["supportedModelFormats"].as_array().expect("a list");
            let takes = |format: &Value| format["modelArchitecture"] == architecture;
            assert!(formats.iter().any(takes), "{runtime} {architecture}");
            let limits = &spec["engineConfig"]["runner"]["resources"]["limits"];
            assert_eq!(limits["nvidia.com/gpu"], gpus);
        };
        check("sglang-llama-small", "LlamaForCausalLM", 1);
        check("vllm-llama-large", "LlamaForCausalLM", 4);
        check("sglang-mixtral-moe", "MixtralForCausalLM", 2);
    }
}
