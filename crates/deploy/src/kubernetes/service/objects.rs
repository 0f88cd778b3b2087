//! Makes what a task asks for in the whole cluster, where it is not there yet.
//!
//! The one idea: it is only ever made. What goes by the name already is somebody's, and is used as
//! it is; nothing of it is changed, and nothing that we made is removed again, because others may
//! have come to use it.

use std::collections::BTreeMap;

use autotuner_core::problem::Problem;
use autotuner_core::serving::{ClusterObject, Service, ServiceKind};
use kube::api::{Api, DynamicObject, PostParams};
use serde_json::{Value, json};

use super::FIELD_MANAGER;
use super::access::cluster_wide;
use super::manifest::VERSION;
use crate::DeployError;
use crate::kubernetes::Cluster;

/// What came of an object that a task asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its kind and name.
    pub what: String,
    /// Whether it was made just now; else it was there, and is used as it is.
    pub is_new: bool,
}

impl Cluster {
    /// Makes what a task asks for in the whole cluster and what is not there.
    ///
    /// # Errors
    /// What cannot be made, as problems of the task.
    pub async fn make_objects(&self, service: &Service) -> Result<Vec<Made>, Vec<Problem>> {
        let (mut made, mut problems) = (Vec::new(), Vec::new());
        for object in &service.objects {
            match self.make(object).await {
                Ok(is_new) => made.push(Made {
                    what: format!("{} {}", object.kind.as_str(), object.name),
                    is_new,
                }),
                Err(error) => problems.push(impossible(object, &error)),
            }
        }
        match problems.is_empty() {
            true => Ok(made),
            false => Err(problems),
        }
    }

    /// Makes an object; whether it was not there before.
    async fn make(&self, object: &ClusterObject) -> Result<bool, DeployError> {
        let resource = cluster_wide(object.kind);
        let objects: Api<DynamicObject> = Api::all_with(self.reach.client.clone(), &resource);
        let manifest: DynamicObject =
            serde_json::from_value(manifest(object)).map_err(|error| DeployError::Refused {
                action: "write a manifest",
                message: error.to_string(),
            })?;
        // Who may look does not try what would be refused for want of rights.
        let looking = objects.get_opt(&object.name);
        match self
            .reach
            .answer("look for an object of the cluster", looking)
            .await
        {
            Ok(Some(_)) => return Ok(false),
            Ok(None) | Err(DeployError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        let how = PostParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        let making = async {
            match objects.create(&how, &manifest).await {
                // Somebody else was quicker.
                Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
                other => other.map(|_| true),
            }
        };
        self.reach.answer("create an object of the cluster", making).await
    }
}

fn manifest(object: &ClusterObject) -> Value {
    let mut labels: BTreeMap<&str, &str> = BTreeMap::from([("app.kubernetes.io/managed-by", FIELD_MANAGER)]);
    labels.extend(
        object
            .labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    json!({
        "apiVersion": format!("{}/{VERSION}", ServiceKind::Ome.group()),
        "kind": object.kind.as_str(),
        "metadata": { "name": object.name, "labels": labels, "annotations": object.annotations },
        "spec": object.spec,
    })
}

fn impossible(object: &ClusterObject, error: &DeployError) -> Problem {
    let what = format!("the {} {}", object.kind.as_str(), object.name);
    let message = format!(
        "{what} is not there and cannot be made: {}",
        crate::error::whole_story(error)
    );
    let hint = "have it made by somebody who may, or give the account the ClusterRole of docs/kubernetes.md";
    Problem::new(object.kind.key(), message).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use autotuner_core::serving::{ObjectKind, preset};

    use super::*;

    #[test]
    fn an_object_is_its_specification_under_its_name() {
        let object = ClusterObject {
            kind: ObjectKind::BaseModel,
            name: "mixtral-8x7b-instruct".into(),
            spec: preset(ObjectKind::BaseModel, "mixtral-8x7b-instruct").expect("it is there"),
            labels: BTreeMap::from([("team".into(), "serving".into())]),
            annotations: BTreeMap::new(),
        };
        insta::assert_json_snapshot!(manifest(&object));
    }
}
