//! The load on turmoil: a UDP socket a node. Its clock goes on in ticks of a millisecond (its
//! default), at each of which it runs every host.

use rutile_network_peers::{Load, MAX_LATENCY_MS, MIN_LATENCY_MS, Meter, NODES, Node};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use turmoil::net::UdpSocket;

const PORT: u16 = 700;
const FIRST: u8 = 1;

fn address(node: usize) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 168, 7, FIRST + node as u8)), PORT)
}

fn node_at(address: SocketAddr) -> usize {
    match address.ip() {
        IpAddr::V4(ip) => (ip.octets()[3] - FIRST) as usize,
        IpAddr::V6(_) => unreachable!("every node has an address of version 4"),
    }
}

fn main() -> turmoil::Result {
    let load = Load::from_arguments();
    let meter = Meter::new(load);
    let mut simulation = turmoil::Builder::new()
        .rng_seed(load.seed)
        .simulation_duration(Duration::from_secs(1_000_000_000))
        .min_message_latency(Duration::from_millis(MIN_LATENCY_MS))
        .max_message_latency(Duration::from_millis(MAX_LATENCY_MS))
        .udp_capacity(2 * NODES * load.window)
        .build();
    for own in 0..NODES {
        let meter = meter.clone();
        simulation.host(address(own).ip(), move || live(own, load, meter.clone()));
    }
    while !meter.is_over() {
        simulation.step()?;
    }
    meter.report();
    Ok(())
}

async fn live(own: usize, load: Load, meter: Meter) -> turmoil::Result {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
    let mut node = Node::new(own, &load);
    let mut message = Vec::new();
    let mut received = vec![0; load.longest_message()];
    // Every socket is bound before anybody sends: what finds none is lost.
    tokio::time::sleep(Duration::from_millis(MIN_LATENCY_MS)).await;
    for _ in 0..load.window {
        let to = node.request(&mut message);
        socket.send_to(&message, address(to)).await?;
    }
    loop {
        let (length, from) = socket.recv_from(&mut received).await?;
        meter.deliver();
        let to = node.receive(node_at(from), &received[..length], &mut message);
        socket.send_to(&message, address(to)).await?;
    }
}
