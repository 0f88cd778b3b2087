//! The database keeps what every store must.

use std::sync::Arc;

use async_trait::async_trait;
use autotuner_core::ids::TaskId;
use autotuner_store::Store;
use autotuner_store::conformance::{Fixture, conformance};

use crate::support::{Fresh, fresh};

#[async_trait]
impl Fixture for Fresh {
    async fn running(&self, name: &str) -> (Arc<dyn Store>, TaskId) {
        let claim = self.claimed(name).await;
        (Arc::new(self.database.run_store(&claim)), claim.task)
    }
}

#[tokio::test]
async fn it_keeps_what_every_store_must() {
    conformance(&fresh().await).await;
}
