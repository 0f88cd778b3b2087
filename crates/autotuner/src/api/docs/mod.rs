//! The documentation page: one file of markup, one of style, one of script, all built in.
//!
//! It needs no network and no other host: it reads the OpenAPI document of the service that it
//! came from, and its policy lets it talk to nobody else. The page itself tells nothing and is
//! there for everybody; what it shows, it asks for with the reader's own rights.

use std::sync::Arc;

use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use crate::service::Service;

/// What the page may load and talk to: this service, and nobody else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes of this group. They are pages and no operations, so the document has none of them.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .route("/docs", get(page))
        .route("/docs/docs.css", get(style))
        .route("/docs/docs.js", get(script))
}

async fn page() -> Response {
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, include_str!("docs.html")).into_response()
}

async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("docs.css"))
}

async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("docs.js"))
}

fn file(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}

#[cfg(test)]
mod tests {
    /// The policy of the page would refuse what it finds here, and so do we.
    #[test]
    fn the_page_needs_nobody_else_and_holds_no_code() {
        let page = include_str!("docs.html");
        let script = include_str!("docs.js");
        let style = include_str!("docs.css");
        for text in [page, script, style] {
            let is_foreign = text.contains("http://") || text.contains("https://") || text.contains("//cdn");
            assert!(!is_foreign, "{text}");
        }
        for inline in [" style=", " onclick=", "<style", "<script>"] {
            assert!(!page.contains(inline), "{inline}");
        }
        for code in ["innerHTML", "eval(", "document.write", ".style."] {
            assert!(!script.contains(code), "{code}");
        }
        assert!(!style.contains("@import") && !style.contains("url("));
    }
}
