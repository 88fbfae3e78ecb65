//! Raw keys: every operation once, and a stream of writes that is verified afterwards.

use std::collections::HashMap;
use std::sync::Arc;

use tikv_client::{KvPair, RawClient};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::outcomes::{self, Outcomes};
use crate::{PATIENCE, Result, check_rules, ensure, key, pairs, patiently};

const WRITERS: usize = 8;
/// Every key is overwritten again and again, so that a lost write and one that comes late both show.
const KEYS_OF_WRITER: usize = 50;

pub async fn operations(client: &RawClient) -> Result {
    check_rules!(client,
        "a value that was put is got, and a second put replaces it" => put_get,
        "a key that was never put has no value" => missing,
        "keys and values may hold any bytes" => any_bytes,
        "a batch put is read by a batch get, with nothing for a missing key" => batch,
        "a scan is ordered, holds its start and not its end, and keeps its limit" => scan,
        "a reverse scan goes down through the same keys" => reverse_scan,
        "several ranges are scanned at once, each to its limit" => batch_scan,
        "compare-and-swap writes only if the value is as expected, and tells what it was" => swap,
        "deleted keys have no value, and deleting them again is no error" => delete,
        "a delete range removes its start, all between, and not its end" => delete_range,
        "a value of one mebibyte comes back whole" => large_value,
    )
}

async fn expect(client: &RawClient, name: &str, value: Option<&[u8]>) -> Result {
    let got = client.get(key(name)).await?;
    ensure!(
        got.as_deref() == value,
        "{name} holds {got:?}, not {value:?}"
    );
    Ok(())
}

async fn put_get(client: &RawClient) -> Result {
    for value in ["value", "newer"] {
        client.put(key("put"), value.to_owned()).await?;
        expect(client, "put", Some(value.as_bytes())).await?;
    }
    Ok(())
}

async fn missing(client: &RawClient) -> Result {
    expect(client, "missing", None).await
}

async fn any_bytes(client: &RawClient) -> Result {
    let every: Vec<u8> = (0..=255).collect();
    let any = [key("bytes/"), every.clone()].concat();
    client.put(any.clone(), every.clone()).await?;
    ensure!(
        client.get(any).await? == Some(every),
        "they came back differently"
    );
    Ok(())
}

async fn batch(client: &RawClient) -> Result {
    let written = pairs("batch", 500);
    client.batch_put(written.clone()).await?;
    let asked = written.iter().map(|(key, _)| key.clone());
    let asked = asked.chain([key("batch/missing")]);
    same(client.batch_get(asked).await?, &written)
}

fn same(got: Vec<KvPair>, wanted: &[(Vec<u8>, Vec<u8>)]) -> Result {
    let got: Vec<(Vec<u8>, Vec<u8>)> = got.into_iter().map(|p| (p.0.into(), p.1)).collect();
    ensure!(
        got == wanted,
        "{} pairs, not these {}",
        got.len(),
        wanted.len()
    );
    Ok(())
}

async fn scan(client: &RawClient) -> Result {
    let written = pairs("scan", 10);
    client.batch_put(written.clone()).await?;
    let got = client
        .scan(written[2].0.clone()..written[8].0.clone(), 100)
        .await?;
    same(got, &written[2..8])?;
    same(
        client.scan(key("scan/")..key("scan0"), 3).await?,
        &written[..3],
    )?;
    let keys = client.scan_keys(key("scan/")..key("scan0"), 100).await?;
    ensure!(keys.len() == 10, "{} keys, not 10", keys.len());
    Ok(())
}

async fn reverse_scan(client: &RawClient) -> Result {
    let mut written = pairs("scan", 10)[2..8].to_vec();
    let range = written[0].0.clone()..=written[5].0.clone();
    written.reverse();
    same(client.scan_reverse(range, 100).await?, &written)
}

async fn batch_scan(client: &RawClient) -> Result {
    let written = pairs("scan", 10);
    let ranges = [
        written[0].0.clone()..written[5].0.clone(),
        written[5].0.clone()..key("scan0"),
    ];
    let got = client.batch_scan(ranges, 2).await?;
    same(got, &[&written[..2], &written[5..7]].concat())
}

async fn swap(client: &RawClient) -> Result {
    let client = client.with_atomic_for_cas();
    client.delete(key("swap")).await?;
    for (expected, new, previous, done) in [
        (None, "first", None, true),
        (None, "second", Some("first"), false),
        (Some("wrong"), "second", Some("first"), false),
        (Some("first"), "second", Some("first"), true),
    ] {
        let expected = expected.map(|text| text.as_bytes().to_vec());
        let (was, swapped) = client
            .compare_and_swap(key("swap"), expected, new.to_owned())
            .await?;
        let previous = previous.map(|text| text.as_bytes().to_vec());
        ensure!(
            (swapped, &was) == (done, &previous),
            "{new}: {swapped}, was {was:?}"
        );
    }
    expect(&client, "swap", Some(b"second")).await
}

async fn delete(client: &RawClient) -> Result {
    for _ in 0..2 {
        client.delete(key("put")).await?;
        expect(client, "put", None).await?;
    }
    let batch = pairs("batch", 500);
    client
        .batch_delete(batch[..250].iter().map(|(key, _)| key.clone()))
        .await?;
    same(
        client
            .batch_get(batch.iter().map(|(key, _)| key.clone()))
            .await?,
        &batch[250..],
    )
}

async fn delete_range(client: &RawClient) -> Result {
    let mut left = pairs("scan", 10);
    client
        .delete_range(left[3].0.clone()..left[6].0.clone())
        .await?;
    left.drain(3..6);
    same(client.scan(key("scan/")..key("scan0"), 100).await?, &left)
}

async fn large_value(client: &RawClient) -> Result {
    let value = b"0123456789abcdef".repeat(1 << 16);
    client.put(key("mebibyte"), value.clone()).await?;
    expect(client, "mebibyte", Some(&value)).await
}

/// Writes until standard input ends. A key whose write has an unknown outcome is not written again:
/// that write may still land, and nothing after it would be certain.
pub async fn write(client: RawClient, path: &str, prefix: &str) -> Result {
    let outcomes = Outcomes::create(path)?;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let prefix = format!("{prefix}/{writer}");
        writers.spawn(write_loop(client.clone(), outcomes.clone(), prefix));
    }
    outcomes.until_input_ends().await;
    while let Some(ended) = writers.join_next().await {
        ended??;
    }
    outcomes.finish()
}

async fn write_loop(client: RawClient, outcomes: Arc<Outcomes>, prefix: String) -> Result {
    let mut keys: Vec<String> = (0..KEYS_OF_WRITER)
        .map(|i| format!("{prefix}/{i}"))
        .collect();
    let mut fresh = KEYS_OF_WRITER;
    for number in 0.. {
        if outcomes.stopping() {
            break;
        }
        let slot = number % KEYS_OF_WRITER;
        let value = number.to_string();
        let call = client.put(keys[slot].clone(), value.clone());
        if matches!(timeout(PATIENCE, call).await, Ok(Ok(()))) {
            outcomes.record("acknowledged", &keys[slot], &value)?;
        } else {
            outcomes.record("unknown", &keys[slot], &value)?;
            keys[slot] = format!("{prefix}/{fresh}");
            fresh += 1;
        }
    }
    Ok(())
}

/// Every key must hold its last acknowledged value, or the one of unknown outcome after it.
pub async fn verify(client: &RawClient, path: &str) -> Result {
    let lines = outcomes::read(path)?;
    let (mut acknowledged, mut unknown) = (HashMap::new(), HashMap::new());
    for (word, key, value) in &lines {
        let values = if word == "acknowledged" {
            &mut acknowledged
        } else {
            &mut unknown
        };
        values.insert(key, value);
    }
    let mut lost = 0;
    for (&key, &value) in &acknowledged {
        let held = patiently(async || Ok(client.get(key.clone()).await?))
            .await?
            .unwrap_or_default();
        let other = unknown
            .get(key)
            .is_some_and(|unknown| held == unknown.as_bytes());
        if held != value.as_bytes() && !other {
            lost += 1;
            println!("lost {key}: holds {held:?}, acknowledged was {value}");
        }
    }
    let count = outcomes::count(&lines)
        .get("acknowledged")
        .copied()
        .unwrap_or(0);
    let keys = acknowledged.len();
    println!("{count} writes to {keys} keys were acknowledged, {lost} keys lost one");
    ensure!(lost == 0, "acknowledged writes were lost");
    ensure!(count > 0, "no write was acknowledged");
    Ok(())
}
