//! The load on madsim: an endpoint a node, messages as bytes under one tag.

use madsim::net::{Config as Net, Endpoint};
use madsim::runtime::{Handle, Runtime};
use madsim::{Config, time::sleep};
use rutile_network_peers::{Load, MAX_LATENCY_MS, MIN_LATENCY_MS, Meter, NODES, Node};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

const PORT: u16 = 700;
const TAG: u64 = 1;
const FIRST: u8 = 1;

fn address(node: usize) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, FIRST + node as u8)), PORT)
}

fn node_at(address: SocketAddr) -> usize {
    match address.ip() {
        IpAddr::V4(ip) => (ip.octets()[3] - FIRST) as usize,
        IpAddr::V6(_) => unreachable!("every node has an address of version 4"),
    }
}

fn main() {
    let load = Load::from_arguments();
    let meter = Meter::new(load);
    let latency = Duration::from_millis(MIN_LATENCY_MS)..Duration::from_millis(MAX_LATENCY_MS);
    let net = Net { packet_loss_rate: 0.0, send_latency: latency };
    let config = Config { net, ..Config::default() };
    let runtime = Runtime::with_seed_and_config(load.seed, config);
    runtime.block_on(run(load, meter.clone()));
    meter.report();
}

async fn run(load: Load, meter: Meter) {
    let over = std::sync::Arc::new(tokio::sync::Notify::new());
    for own in 0..NODES {
        let node = Handle::current().create_node().ip(address(own).ip()).build();
        let (meter, over) = (meter.clone(), over.clone());
        node.spawn(async move {
            live(own, load, meter).await;
            over.notify_one();
        });
    }
    over.notified().await;
}

/// Ends with the message that was the last to be counted.
async fn live(own: usize, load: Load, meter: Meter) {
    let endpoint = Endpoint::bind(address(own)).await.expect("the address is free");
    let mut node = Node::new(own, &load);
    let mut message = Vec::new();
    let mut received = vec![0; load.longest_message()];
    // Every endpoint is bound before anybody sends: what finds none is lost.
    sleep(Duration::from_millis(MIN_LATENCY_MS)).await;
    for _ in 0..load.window {
        let to = node.request(&mut message);
        endpoint.send_to(address(to), TAG, &message).await.expect("the network is up");
    }
    while !meter.is_over() {
        let (length, from) =
            endpoint.recv_from(TAG, &mut received).await.expect("the network is up");
        meter.deliver();
        let to = node.receive(node_at(from), &received[..length], &mut message);
        endpoint.send_to(address(to), TAG, &message).await.expect("the network is up");
    }
}
