//! The effective options, as `autotuner config` shows them on the service's machine.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Admin;
use crate::config::Origin;
use crate::service::Service;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(options))
}

/// An option of the service.
#[derive(Debug, Serialize, ToSchema)]
struct OptionView {
    /// What it is called.
    #[schema(example = "data_dir")]
    name: &'static str,
    /// Its value, as text; of a secret that is set, `***`.
    value: String,
    /// Who set it: `default`, `file`, `environment` or `flag`.
    #[schema(example = "environment")]
    source: &'static str,
    /// The same in full: which file, variable or flag.
    #[schema(example = "environment variable AUTOTUNER_DATA_DIR")]
    set_by: String,
    /// What it is for.
    help: String,
}

/// The effective options of the service, and who set each
#[utoipa::path(get, path = "/api/system/options", tag = "system", responses((status = 200, body = [OptionView])))]
async fn options(State(service): State<Arc<Service>>, _caller: Admin) -> Json<Vec<OptionView>> {
    let origins = service.config.origins.iter().cloned();
    Json(origins.map(OptionView::from).collect())
}

impl From<Origin> for OptionView {
    fn from(origin: Origin) -> Self {
        let Origin {
            option,
            value,
            source,
            help,
        } = origin;
        Self {
            name: option,
            value,
            source: source.as_str(),
            set_by: source.to_string(),
            help,
        }
    }
}

#[cfg(test)]
mod tests {
    use autotuner_store::Role;
    use axum::http::Method;
    use serde_json::json;

    use crate::api::testing::TestService;
    use crate::config::Source;
    use crate::service::access::Settings;
    use crate::service::testing;

    #[tokio::test]
    async fn administrators_are_told_every_option_and_who_set_it() {
        let mut inner = testing::TestService::new(Settings::default()).await;
        let service = std::sync::Arc::get_mut(&mut inner.service).expect("nobody else has it yet");
        for origin in &mut service.config.origins {
            if origin.option == "log" {
                origin.value = "info".into();
                origin.source = Source::Environment("AUTOTUNER_LOG".into());
            }
        }
        let expected = service.config.origins.len();
        let test = TestService::over(inner);
        let path = "/api/system/options";
        let told = test
            .call(Role::Admin, Method::GET, path, None)
            .await
            .is(200)
            .json();
        let told = told.as_array().expect("a list");
        assert_eq!(told.len(), expected);
        let log = told
            .iter()
            .find(|option| option["name"] == "log")
            .expect("it is there");
        assert_eq!(
            (&log["value"], &log["source"], &log["set_by"]),
            (
                &json!("info"),
                &json!("environment"),
                &json!("environment variable AUTOTUNER_LOG")
            )
        );
        assert!(log["help"].as_str().is_some_and(|help| help.contains("RUST_LOG")));
        for role in [Role::Viewer, Role::Operator] {
            test.call(role, Method::GET, path, None).await.is(403);
        }
    }
}
