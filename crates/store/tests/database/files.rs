//! The file: who may read it, what survives, what is refused.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use autotuner_core::lifecycle::TaskMove;
use autotuner_store::{Database, OpenError, Page, Store, StoreError};

use sqlx::ConnectOptions;

use crate::support::{act, measured, on_file as fresh, raw, task};

const ALL: Page = Page { skip: 0, limit: 1000 };

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("there").permissions().mode() & 0o777
}

#[tokio::test]
async fn everything_is_its_owners_alone() {
    let fresh = fresh().await;
    fresh.database.create_task(&act(0), task("a")).await.expect("new");
    let folder = fresh.path.parent().expect("inside a folder");
    assert_eq!(mode(folder), 0o700);
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn who_has_a_file_alone_frees_every_claim() {
    let fresh = fresh().await;
    let old = fresh.claimed("forgotten").await;
    assert_eq!(fresh.database.forget_claims().await.expect("freed"), 1);
    let new = fresh.database.claim("next", 1, 1000).await.expect("claims");
    assert_eq!(new.map(|claim| claim.epoch), Some(old.epoch + 1));
    assert_eq!(fresh.database.forget_claims_of("").await.expect("freed"), 1);
}

#[tokio::test]
async fn all_is_there_when_the_file_is_opened_again() {
    let fresh = fresh().await;
    let claim = fresh.claimed("kept").await;
    let number = fresh.benchmarking(&claim, 4).await;
    let store = fresh.database.run_store(&claim);
    store
        .finish_experiment(claim.task, number, Ok(measured(-1.0)), 90)
        .await
        .expect("legal");
    let before = (
        fresh.database.task(claim.task).await.expect("known"),
        fresh.database.experiments(ALL).await.expect("listed"),
        fresh.database.audit(ALL).await.expect("listed"),
        fresh.database.statistics(100).await.expect("counted"),
    );
    fresh.database.close().await;
    let again = Database::open(&fresh.path, 200).await.expect("opens");
    let after = (
        again.task(claim.task).await.expect("known"),
        again.experiments(ALL).await.expect("listed"),
        again.audit(ALL).await.expect("listed"),
        again.statistics(100).await.expect("counted"),
    );
    assert_eq!(after, before);
    again
        .renew(&claim, 210, 1000)
        .await
        .expect("claims outlive a restart until they are forgotten");
    let names = std::fs::read_dir(fresh.path.parent().expect("a folder")).expect("readable");
    let backups = names.filter(|entry| {
        entry
            .as_ref()
            .is_ok_and(|entry| entry.path().display().to_string().contains("backup"))
    });
    assert_eq!(backups.count(), 0, "nothing was brought up to date");
}

#[tokio::test]
async fn a_sound_file_is_sound_and_a_damaged_one_is_told() {
    let fresh = fresh().await;
    let claim = fresh.claimed("checked").await;
    fresh.benchmarking(&claim, 1).await;
    assert_eq!(
        fresh.database.check().await.expect("readable"),
        Vec::<String>::new()
    );
    raw(
        &fresh,
        "PRAGMA foreign_keys = OFF; UPDATE experiments SET task = 99",
    )
    .await;
    let told = fresh.database.check().await.expect("readable");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("experiments"), "{told:?}");
}

#[tokio::test]
async fn a_copy_is_whole_and_replaces_nothing() {
    let fresh = fresh().await;
    let claim = fresh.claimed("copied").await;
    let to = fresh.folder.path().join("copy.db");
    fresh.database.back_up(&to).await.expect("copied");
    assert_eq!(mode(&to), 0o600);
    let bytes = std::fs::read(&to).expect("there");
    let again = fresh.database.back_up(&to).await;
    assert!(matches!(again, Err(StoreError::AlreadyThere { .. })), "{again:?}");
    assert_eq!(std::fs::read(&to).expect("there"), bytes);
    let nowhere = fresh
        .database
        .back_up(&fresh.folder.path().join("no/copy.db"))
        .await;
    assert!(
        matches!(nowhere, Err(StoreError::CannotWrite { .. })),
        "{nowhere:?}"
    );
    let copy = Database::open(&to, 0).await.expect("opens");
    let expected = fresh.database.task(claim.task).await.expect("known");
    assert_eq!(copy.task(claim.task).await.expect("known"), expected);
    let left = std::fs::read_dir(fresh.folder.path()).expect("readable");
    let partial = left.filter(|entry| {
        entry
            .as_ref()
            .is_ok_and(|entry| entry.path().display().to_string().contains("partial"))
    });
    assert_eq!(partial.count(), 0);
}

#[tokio::test]
async fn what_is_not_ours_is_refused_and_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text.db");
    let content = "this is no database, and it is long enough to be taken for one by its size";
    std::fs::write(&text, content).expect("written");
    let refused = Database::open(&text, 0).await;
    assert!(matches!(refused, Err(OpenError::Failed { .. })), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&text).expect("there"), content);
    let fresh = fresh().await;
    fresh.database.close().await;
    raw(&fresh, "DROP TABLE _sqlx_migrations").await;
    let refused = Database::open(&fresh.path, 0)
        .await
        .map(drop)
        .expect_err("another's tables");
    let source = std::error::Error::source(&refused).expect("a reason").to_string();
    assert_eq!(source, "it holds tables of another program");
    let nowhere = Database::open(Path::new("/proc/none/autotuner.db"), 0).await;
    assert!(matches!(nowhere, Err(OpenError::Failed { .. })), "{nowhere:?}");
}

#[tokio::test]
async fn it_can_be_written_until_it_cannot() {
    let fresh = fresh().await;
    fresh.database.ping().await.expect("it can be written");
    fresh.database.close().await;
    fresh.database.ping().await.expect_err("it is closed");
}

#[tokio::test]
async fn readers_do_not_wait_for_who_writes() {
    let fresh = fresh().await;
    let claim = fresh.claimed("read").await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&fresh.path);
    let mut writer = options.connect().await.expect("opens");
    let begun = sqlx::raw_sql("BEGIN IMMEDIATE; UPDATE tasks SET name = 'other'").execute(&mut writer);
    begun.await.expect("nobody else writes");
    let known = fresh.database.task(claim.task).await.expect("readable");
    assert_eq!(known.summary.name, "read", "what is not committed is not seen");
    fresh.database.tasks(ALL, None).await.expect("readable");
    fresh.database.experiments(ALL).await.expect("readable");
    fresh.database.statistics(0).await.expect("readable");
}

#[tokio::test]
async fn a_file_is_looked_at_beside_whoever_serves_it() {
    let fresh = fresh().await;
    let claim = fresh.claimed("seen").await;
    let beside = Database::look_at(&fresh.path).await.expect("today's");
    beside.task(claim.task).await.expect("seen");
    let number = fresh.benchmarking(&claim, 1).await;
    beside
        .experiment_numbered(claim.task, number)
        .await
        .expect("what is written later, too");
    let written = beside.create_task(&act(0), task("other")).await;
    assert!(
        matches!(written, Err(StoreError::CannotWrite { .. })),
        "{written:?}"
    );
    let copy = fresh.folder.path().join("copy.db");
    beside.back_up(&copy).await.expect("copied");
    let empty = fresh.folder.path().join("empty.db");
    std::fs::write(&empty, "").expect("written");
    for path in [empty, fresh.folder.path().join("none.db")] {
        let refused = Database::look_at(&path).await;
        assert!(matches!(refused, Err(OpenError::Failed { .. })), "{refused:?}");
    }
}

/// After a power failure, a file ends anywhere: whatever is left opens, is sound and agrees
/// with itself.
#[tokio::test]
async fn wherever_the_log_of_the_file_breaks_off_the_rest_agrees() {
    let fresh = fresh().await;
    let claim = fresh.claimed("torn").await;
    let store = fresh.database.run_store(&claim);
    for seqs in 0..4 {
        let number = fresh.benchmarking(&claim, seqs).await;
        store
            .finish_experiment(claim.task, number, Ok(measured(-1.0)), 90)
            .await
            .expect("legal");
    }
    store
        .end_task(claim.task, TaskMove::Complete, "done", 99)
        .await
        .expect("held");
    let log = {
        let mut name = fresh.path.clone().into_os_string();
        name.push("-wal");
        std::path::PathBuf::from(name)
    };
    let (whole, log) = (
        std::fs::read(&fresh.path).expect("there"),
        std::fs::read(log).expect("there"),
    );
    assert!(log.len() > 64 * 1024, "{}", log.len());
    let folder = tempfile::tempdir().expect("a folder");
    let mut seen = Vec::new();
    for (index, end) in (log.len().saturating_sub(256 * 1024)..=log.len())
        .step_by(5 * 512)
        .enumerate()
    {
        let path = folder.path().join(format!("{index}.db"));
        std::fs::write(&path, &whole).expect("written");
        std::fs::write(folder.path().join(format!("{index}.db-wal")), &log[..end]).expect("written");
        let torn = Database::open(&path, 0).await.expect("it opens");
        assert_eq!(
            torn.check().await.expect("readable"),
            Vec::<String>::new(),
            "{end}"
        );
        assert_eq!(torn.verify_audit().await.expect("readable"), None, "{end}");
        let listed = torn.experiments(ALL).await.expect("listed");
        assert_eq!(listed.total, listed.rows.len() as u64, "{end}");
        let done = listed
            .rows
            .iter()
            .filter(|row| row.experiment.score().is_some())
            .count();
        for summary in torn.tasks(ALL, None).await.expect("listed").rows {
            assert_eq!(u64::from(summary.total_experiments), listed.total, "{end}");
            assert_eq!(summary.successful_experiments as usize, done, "{end}");
            assert_eq!(summary.best_experiment.is_some(), done > 0, "{end}");
        }
        seen.push(done);
        torn.close().await;
    }
    assert!(seen.is_sorted(), "{seen:?}");
    assert!(seen[0] < 4, "the cut reaches into what was written: {seen:?}");
}

#[tokio::test]
async fn a_file_is_looked_at_beside_its_owner_and_stays_as_it_is() {
    let fresh = fresh().await;
    let looking = Database::look_at(&fresh.path).await.expect("opens");
    fresh.database.create_task(&act(0), task("a")).await.expect("new");
    assert_eq!(looking.tasks(ALL, None).await.expect("listed").total, 1);
    assert_eq!(looking.verify_audit().await.expect("read"), None);
    let copy = fresh.path.with_extension("copy");
    looking.back_up(&copy).await.expect("copied");
    looking
        .create_task(&act(0), task("b"))
        .await
        .expect_err("it is only looked at");
    assert_eq!(fresh.database.tasks(ALL, None).await.expect("listed").total, 1);

    let missing = fresh.path.with_extension("missing");
    Database::look_at(&missing).await.expect_err("it is not there");
    assert!(!missing.exists());
    raw(&fresh, "UPDATE _sqlx_migrations SET version = version + 1000").await;
    let newer = Database::look_at(&fresh.path).await;
    assert!(matches!(newer, Err(OpenError::Newer { .. })), "{newer:?}");
    raw(&fresh, "UPDATE _sqlx_migrations SET version = version - 2000").await;
    let older = Database::look_at(&fresh.path).await;
    assert!(matches!(older, Err(OpenError::Failed { .. })), "{older:?}");
}
