//! The rules of transactions, as this client uses them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tikv_client::{
    CheckLevel, Error, Snapshot, Timestamp, Transaction, TransactionClient, TransactionOptions,
};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::{PATIENCE, Result, check_rules, ensure, key, pairs};

/// How a transaction locks and commits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode {
    pub pessimistic: bool,
    pub async_commit: bool,
    pub one_phase: bool,
}

const fn mode(pessimistic: bool, async_commit: bool, one_phase: bool) -> Mode {
    Mode {
        pessimistic,
        async_commit,
        one_phase,
    }
}

pub const MODES: [Mode; 6] = [
    mode(false, false, false),
    mode(true, false, false),
    mode(false, true, false),
    mode(false, false, true),
    mode(true, true, false),
    mode(true, false, true),
];
const OPTIMISTIC: Mode = MODES[0];
const PESSIMISTIC: Mode = MODES[1];

fn options(mode: Mode) -> TransactionOptions {
    let mut options = if mode.pessimistic {
        TransactionOptions::new_pessimistic()
    } else {
        TransactionOptions::new_optimistic()
    };
    if mode.async_commit {
        options = options.use_async_commit();
    }
    if mode.one_phase {
        options = options.try_one_pc();
    }
    options.drop_check(CheckLevel::None)
}

pub async fn begin(client: &TransactionClient, mode: Mode) -> Result<Transaction> {
    Ok(client.begin_with_options(options(mode)).await?)
}

pub fn snapshot(client: &TransactionClient, at: Timestamp) -> Snapshot {
    client.snapshot(at, options(OPTIMISTIC))
}

/// True where the error says that nothing was committed: the cluster has refused a key.
pub fn is_refusal(error: &Error) -> bool {
    match error {
        Error::KeyError(_) => true,
        Error::PessimisticLockError { inner, .. } => is_refusal(inner),
        Error::ExtractedErrors(errors) | Error::MultipleKeyErrors(errors) => {
            !errors.is_empty() && errors.iter().all(is_refusal)
        }
        _ => false,
    }
}

/// Whether the error, or one within it, says that a key was written meanwhile.
pub fn is_conflict(error: &Error) -> bool {
    match error {
        Error::KeyError(error) => error.conflict.is_some(),
        Error::PessimisticLockError { inner, .. } => is_conflict(inner),
        Error::ExtractedErrors(errors) | Error::MultipleKeyErrors(errors) => {
            errors.iter().any(is_conflict)
        }
        _ => false,
    }
}

/// What a pessimistic transaction locks, at a newer timestamp whenever the key was written meanwhile.
pub async fn lock(txn: &mut Transaction, key: &[u8]) -> Result<Option<Vec<u8>>> {
    loop {
        match txn.get_for_update(key.to_vec()).await {
            Err(error) if is_conflict(&error) => continue,
            locked => return Ok(locked?),
        }
    }
}

pub async fn transactions(client: &TransactionClient) -> Result {
    check_rules!(client,
        "a transaction reads what it wrote, and others read it after its commit only" => own_writes,
        "every snapshot reads what was committed up to its timestamp, deletions too" => snapshots,
        "a batch get brings what is there, from every region" => batch_get,
        "scans go up and down through regions, bounded as asked" => scans,
        "a transaction of thousands of keys is committed whole" => many_keys,
        "of two optimistic transactions that write one key, the second has a conflict" => conflict,
        "an insert of a key that is there is refused" => insert,
        "a transaction that was rolled back leaves nothing" => rollback,
        "a key read for update by an optimistic transaction conflicts with its writer" => skew,
        "a pessimistic lock makes others wait until its holder commits" => waits,
        "counters that are locked for each increment lose none" => counters,
        "of two transactions that wait for each other one is told of the deadlock" => deadlock,
        "a collector of garbage finds the locks of a transaction that was dropped, and ends it" => collect,
    )
}

/// Keys on both sides of the split at "m".
fn across(name: &str, count: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let sides = ["a", "z"].map(|side| pairs(&format!("{side}/{name}"), count));
    sides.concat()
}

async fn write(
    client: &TransactionClient,
    mode: Mode,
    pairs: &[(Vec<u8>, Vec<u8>)],
) -> Result<Option<Timestamp>> {
    let mut txn = begin(client, mode).await?;
    for (key, value) in pairs {
        txn.put(key.clone(), value.clone()).await?;
    }
    Ok(txn.commit().await?)
}

async fn now(client: &TransactionClient) -> Result<Snapshot> {
    Ok(snapshot(client, client.current_timestamp().await?))
}

async fn expect(client: &TransactionClient, key: &[u8], value: Option<&[u8]>) -> Result {
    let got = now(client).await?.get(key.to_vec()).await?;
    let name = String::from_utf8_lossy(key);
    ensure!(
        got.as_deref() == value,
        "{name} holds {got:?}, not {value:?}"
    );
    Ok(())
}

async fn own_writes(client: &TransactionClient) -> Result {
    for (i, mode) in MODES.into_iter().enumerate() {
        let own = key(&format!("own/{i}"));
        let mut txn = begin(client, mode).await?;
        txn.put(own.clone(), b"mine".to_vec()).await?;
        let read = txn.get(own.clone()).await?;
        ensure!(read.as_deref() == Some(b"mine"), "{mode:?} reads {read:?}");
        // A pessimistic lock is no obstacle to readers, and nothing of the others is out yet.
        expect(client, &own, None).await?;
        txn.commit().await?;
        expect(client, &own, Some(b"mine")).await?;
    }
    Ok(())
}

async fn snapshots(client: &TransactionClient) -> Result {
    let versions = key("versions");
    let long = b"long ".repeat(1000);
    let history: [Option<&[u8]>; 5] = [Some(b"first"), Some(&long), None, Some(b"again"), None];
    let mut moments = Vec::new();
    for (value, mode) in history.into_iter().zip(MODES) {
        let mut txn = begin(client, mode).await?;
        match value {
            Some(value) => txn.put(versions.clone(), value.to_vec()).await?,
            None => txn.delete(versions.clone()).await?,
        }
        txn.commit().await?;
        moments.push((client.current_timestamp().await?, value));
    }
    for (at, value) in moments {
        let got = snapshot(client, at).get(versions.clone()).await?;
        ensure!(got.as_deref() == value, "{got:?} instead of {value:?}");
    }
    Ok(())
}

async fn batch_get(client: &TransactionClient) -> Result {
    let written = across("batch", 200);
    write(client, OPTIMISTIC, &written).await?;
    let asked = written
        .iter()
        .map(|(key, _)| key.clone())
        .chain([key("a/none"), key("z/none")]);
    let mut got = pairs_of(now(client).await?.batch_get(asked).await?);
    got.sort();
    ensure!(got == written, "{} pairs", got.len());
    Ok(())
}

fn pairs_of(pairs: impl Iterator<Item = tikv_client::KvPair>) -> Vec<(Vec<u8>, Vec<u8>)> {
    pairs.map(|pair| (pair.0.into(), pair.1)).collect()
}

async fn scans(client: &TransactionClient) -> Result {
    // Nothing of the other rules lies between these.
    let written: Vec<_> = ["l", "n"]
        .map(|side| pairs(&format!("{side}/scan"), 300))
        .concat();
    write(client, OPTIMISTIC, &written).await?;
    let mut wanted = written[150..450].to_vec();
    let range = wanted[0].0.clone()..written[450].0.clone();
    let up = pairs_of(now(client).await?.scan(range.clone(), 1000).await?);
    ensure!(up == wanted, "up: {} pairs", up.len());
    let limited = pairs_of(now(client).await?.scan(range.clone(), 200).await?);
    ensure!(limited == wanted[..200], "limited: {} pairs", limited.len());
    let down = pairs_of(now(client).await?.scan_reverse(range, 1000).await?);
    wanted.reverse();
    ensure!(down == wanted, "down: {} pairs", down.len());
    Ok(())
}

async fn many_keys(client: &TransactionClient) -> Result {
    let written = across("many", 2000);
    write(client, OPTIMISTIC, &written).await?;
    for side in ["a", "z"] {
        let range = key(&format!("{side}/many/"))..key(&format!("{side}/many0"));
        let count = now(client).await?.scan_keys(range, 10_000).await?.count();
        ensure!(count == 2000, "{count} keys in {side}");
    }
    Ok(())
}

async fn conflict(client: &TransactionClient) -> Result {
    for mode in [MODES[0], MODES[2], MODES[3]] {
        let mut slow = begin(client, mode).await?;
        write(client, mode, &[(key("conflict"), b"quick".to_vec())]).await?;
        slow.put(key("conflict"), b"slow".to_vec()).await?;
        match slow.commit().await {
            Err(error) if is_conflict(&error) => {}
            other => return Err(format!("{mode:?}: {other:?}").into()),
        }
        expect(client, &key("conflict"), Some(b"quick")).await?;
    }
    Ok(())
}

async fn insert(client: &TransactionClient) -> Result {
    for mode in [OPTIMISTIC, PESSIMISTIC] {
        let inserted = key(&format!("insert/{}", mode.pessimistic));
        for first in [true, false] {
            let mut txn = begin(client, mode).await?;
            let mut outcome = txn.insert(inserted.clone(), b"value".to_vec()).await;
            if outcome.is_ok() {
                outcome = txn.commit().await.map(|_| ());
            } else {
                txn.rollback().await?;
            }
            ensure!(
                outcome.is_ok() == first,
                "{mode:?}, first {first}: {outcome:?}"
            );
        }
        expect(client, &inserted, Some(b"value")).await?;
    }
    Ok(())
}

async fn rollback(client: &TransactionClient) -> Result {
    for mode in [OPTIMISTIC, PESSIMISTIC] {
        let mut txn = begin(client, mode).await?;
        txn.put(key("rolled"), b"back".to_vec()).await?;
        txn.rollback().await?;
        expect(client, &key("rolled"), None).await?;
        write(client, PESSIMISTIC, &[(key("other"), b"forth".to_vec())]).await?;
    }
    write(client, OPTIMISTIC, &[(key("rolled"), b"forth".to_vec())]).await?;
    expect(client, &key("rolled"), Some(b"forth")).await
}

async fn skew(client: &TransactionClient) -> Result {
    let (left, right) = (key("a/skew"), key("z/skew"));
    for locked in [false, true] {
        let mut txns = [
            begin(client, OPTIMISTIC).await?,
            begin(client, OPTIMISTIC).await?,
        ];
        for (txn, (read, written)) in txns.iter_mut().zip([(&left, &right), (&right, &left)]) {
            if locked {
                txn.get_for_update(read.clone()).await?;
            } else {
                txn.get(read.clone()).await?;
            }
            txn.put(written.clone(), b"0".to_vec()).await?;
        }
        let [first, second] = &mut txns;
        first.commit().await?;
        let outcome = second.commit().await;
        let refused = outcome.as_ref().is_err_and(is_conflict);
        ensure!(refused == locked, "locked {locked}: {outcome:?}");
    }
    Ok(())
}

async fn waits(client: &TransactionClient) -> Result {
    let waited = key("waits");
    let mut holder = begin(client, PESSIMISTIC).await?;
    lock(&mut holder, &waited).await?;
    holder.put(waited.clone(), b"held".to_vec()).await?;
    let committed = Arc::new(AtomicBool::new(false));
    let mut waiter = begin(client, PESSIMISTIC).await?;
    let (seen, contended) = (committed.clone(), waited.clone());
    let waiting = tokio::spawn(async move {
        let value = lock(&mut waiter, &contended).await?;
        ensure!(
            seen.load(Ordering::SeqCst),
            "it was granted while another held it"
        );
        ensure!(value.as_deref() == Some(b"held"), "it returned {value:?}");
        waiter.put(contended, b"waited".to_vec()).await?;
        waiter.commit().await?;
        Result::Ok(())
    });
    sleep(Duration::from_millis(300)).await;
    committed.store(true, Ordering::SeqCst);
    holder.commit().await?;
    waiting.await??;
    expect(client, &waited, Some(b"waited")).await
}

async fn counters(client: &TransactionClient) -> Result {
    const WORKERS: usize = 6;
    const INCREMENTS: usize = 10;
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let client = client.clone();
        workers.spawn(async move {
            for i in 0..INCREMENTS {
                let mode = [MODES[1], MODES[4]][(worker + i) % 2];
                increment(&client, mode).await?;
            }
            Result::Ok(())
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    let total = (WORKERS * INCREMENTS).to_string();
    for side in ["a", "z"] {
        expect(
            client,
            &key(&format!("{side}/counter")),
            Some(total.as_bytes()),
        )
        .await?;
    }
    Ok(())
}

/// Locks both counters, in one order, and counts on from what the locks return.
async fn increment(client: &TransactionClient, mode: Mode) -> Result {
    let mut txn = begin(client, mode).await?;
    for side in ["a", "z"] {
        let counter = key(&format!("{side}/counter"));
        let held = lock(&mut txn, &counter).await?.unwrap_or(b"0".to_vec());
        let count: usize = String::from_utf8(held)?.parse()?;
        txn.put(counter, (count + 1).to_string()).await?;
    }
    txn.commit().await?;
    Ok(())
}

fn is_deadlock(error: &Error) -> bool {
    match error {
        Error::KeyError(error) => error.deadlock.is_some(),
        Error::PessimisticLockError { inner, .. } => is_deadlock(inner),
        Error::ExtractedErrors(errors) | Error::MultipleKeyErrors(errors) => {
            errors.iter().any(is_deadlock)
        }
        _ => false,
    }
}

async fn deadlock(client: &TransactionClient) -> Result {
    let keys = [key("a/deadlock"), key("z/deadlock")];
    let mut tasks = JoinSet::new();
    let mut txns = Vec::new();
    for own in &keys {
        let mut txn = begin(client, PESSIMISTIC).await?;
        lock(&mut txn, own).await?;
        txns.push(txn);
    }
    for (mut txn, other) in txns.into_iter().zip([keys[1].clone(), keys[0].clone()]) {
        tasks.spawn(async move {
            // Waits are short and taken up again, as those of people who wait for long.
            let begun = Instant::now();
            let outcome = loop {
                match txn.get_for_update(other.clone()).await {
                    Err(error) if !is_deadlock(&error) && begun.elapsed() < PATIENCE => continue,
                    outcome => break outcome,
                }
            };
            let told = outcome.as_ref().is_err_and(is_deadlock);
            txn.rollback().await?;
            ensure!(told || outcome.is_ok(), "{outcome:?}");
            Result::Ok(told)
        });
    }
    let mut told = 0;
    while let Some(ended) = tasks.join_next().await {
        told += usize::from(ended??);
    }
    ensure!(told == 1, "{told} were told");
    Ok(())
}

async fn collect(client: &TransactionClient) -> Result {
    let keys = [key("a/dropped"), key("z/dropped")];
    let mut txn = begin(client, PESSIMISTIC).await?;
    for held in &keys {
        lock(&mut txn, held).await?;
    }
    drop(txn);
    let at = client.current_timestamp().await?;
    let found = client.scan_locks(&at, key("")..key("zz"), 1024).await?;
    let found: Vec<Vec<u8>> = found.into_iter().map(|lock| lock.key).collect();
    ensure!(found == keys, "found the locks of {found:?}");
    client.gc(at.clone()).await?;
    let found = client.scan_locks(&at, key("")..key("zz"), 1024).await?;
    ensure!(found.is_empty(), "{} locks were left", found.len());
    let begun = Instant::now();
    let freed: Vec<_> = keys.map(|key| (key, b"free".to_vec())).to_vec();
    write(client, PESSIMISTIC, &freed).await?;
    ensure!(
        begun.elapsed() < Duration::from_secs(5),
        "they were still held"
    );
    Ok(())
}
