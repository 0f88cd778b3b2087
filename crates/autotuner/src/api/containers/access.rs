//! Who may do something with a container.
//!
//! Ours are for operators. Others' are nobody's here, unless whoever runs the service has said that
//! its administrators may: then theirs.

use autotuner_deploy::containers::Container;
use autotuner_store::Role;
use axum::http::StatusCode;

use crate::api::error::ApiError;
use crate::service::Service;
use crate::service::access::Caller;

/// Whether this caller may do something with this container, as it was just found.
///
/// # Errors
/// 403 with what would have to be otherwise.
pub(super) fn may_manage(service: &Service, caller: &Caller, container: &Container) -> Result<(), ApiError> {
    if caller.role < Role::Operator {
        let text = format!("This needs the role operator; yours is {}", caller.role.as_str());
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", text));
    }
    let are_all_managed = service.config.manage_all_containers;
    if container.is_ours() || (are_all_managed && caller.role >= Role::Admin) {
        return Ok(());
    }
    let text = format!(
        "Container {} was not made by this service, which manages its own only",
        container.name
    );
    let hint = match are_all_managed {
        true => {
            "the service runs with manage_all_containers, which lets administrators manage others: \
             ask one"
        }
        false => {
            "start the service with --manage-all-containers (manage_all_containers = true) to let \
             its administrators manage every container"
        }
    };
    Err(ApiError::new(StatusCode::FORBIDDEN, "not_ours", text).with_hint(hint))
}
