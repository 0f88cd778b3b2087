//! The database keeps what every store must.

use autotuner_store::conformance::conformance;

#[tokio::test]
async fn it_keeps_what_every_store_must() {
    conformance(&fresh!()).await;
}
