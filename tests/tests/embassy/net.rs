//! Two embassy-net stacks in one process, on a wire that may lose frames.

use embassy_net::{Config, Ipv4Address, Ipv4Cidr, Stack, StackResources, StaticConfigV4};
use embassy_net_driver_channel::driver::{HardwareAddress, LinkState};
use embassy_net_driver_channel::{self as channel, RxRunner, TxRunner};
use embassy_time::Timer;
use embedded_io_async::{Read, Write};
use futures_util::future::{FutureExt, LocalBoxFuture};
use futures_util::stream::{FuturesUnordered, StreamExt};
use wirelet_tests::rng::Rng;

const MTU: usize = 1514;

/// The address of the second stack.
pub(crate) const SERVER: &str = "10.0.0.2";

/// Runs `work` with two stacks, `.1` and `.2`, until it is done. Of a thousand frames on the wire
/// between them, `lost` are lost.
pub(crate) async fn linked<R>(
    lost: usize,
    seed: u64,
    work: impl AsyncFnOnce(Stack<'_>, Stack<'_>) -> R,
) -> R {
    let mut states = [const { channel::State::<MTU, 8, 8>::new() }; 2];
    let [one, two] = &mut states;
    let (runner_one, device_one) = channel::new(one, HardwareAddress::Ethernet([2, 0, 0, 0, 0, 1]));
    let (runner_two, device_two) = channel::new(two, HardwareAddress::Ethernet([2, 0, 0, 0, 0, 2]));
    let mut resources = [const { StackResources::<12>::new() }; 2];
    let [resources_one, resources_two] = &mut resources;
    let (stack_one, mut net_one) = embassy_net::new(device_one, config(1), resources_one, seed);
    let (stack_two, mut net_two) = embassy_net::new(device_two, config(2), resources_two, !seed);

    let (state_one, rx_one, tx_one) = runner_one.split();
    let (state_two, rx_two, tx_two) = runner_two.split();
    state_one.set_link_state(LinkState::Up);
    state_two.set_link_state(LinkState::Up);
    // A task each, as in firmware: a stack is woken by whoever looks at its sockets.
    let work = work(stack_one, stack_two).map(Some);
    let mut tasks: FuturesUnordered<LocalBoxFuture<'_, Option<R>>> = FuturesUnordered::new();
    tasks.push(work.boxed_local());
    tasks.push(
        wire(tx_one, rx_two, lost, Rng::new(seed))
            .map(|()| None)
            .boxed_local(),
    );
    tasks.push(
        wire(tx_two, rx_one, lost, Rng::new(!seed))
            .map(|()| None)
            .boxed_local(),
    );
    tasks.push(async { net_one.run().await }.boxed_local());
    tasks.push(async { net_two.run().await }.boxed_local());
    loop {
        if let Some(Some(result)) = tasks.next().await {
            return result;
        }
    }
}

fn config(last: u8) -> Config {
    // The second stack is where names are looked up.
    let dns_servers = [Ipv4Address::new(10, 0, 0, 2)].into_iter().collect();
    Config::ipv4_static(StaticConfigV4 {
        address: Ipv4Cidr::new(Ipv4Address::new(10, 0, 0, last), 24),
        gateway: None,
        dns_servers,
    })
}

/// One direction: 100 us a frame.
async fn wire(mut from: TxRunner<'_, MTU>, mut to: RxRunner<'_, MTU>, lost: usize, mut rng: Rng) {
    loop {
        let frame = from.tx_buf().await;
        Timer::after_micros(100).await;
        if rng.below(1000) >= lost {
            let room = to.rx_buf().await;
            room[..frame.len()].copy_from_slice(frame);
            let len = frame.len();
            to.rx_done(len);
        }
        from.tx_done();
    }
}

/// Passes on what comes, so many bytes at a time, until either has ended. A millisecond for each, if
/// they are few.
pub(crate) async fn pass_on(mut from: impl Read, mut to: impl Write, at_once: usize) {
    let mut some = [0; 512];
    let at_once = at_once.min(some.len());
    while let Ok(n @ 1..) = from.read(&mut some[..at_once]).await {
        let mut rest = &some[..n];
        while let [_, ..] = rest {
            match to.write(rest).await {
                Ok(n) if n > 0 => rest = &rest[n..],
                _ => return,
            }
        }
        if at_once < some.len() {
            Timer::after_millis(1).await;
        }
    }
}
