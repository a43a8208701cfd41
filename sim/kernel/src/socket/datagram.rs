use std::collections::VecDeque;

use super::Received;

/// The receive queue of a UDP or raw socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Datagrams {
    queue: VecDeque<(u32, Received)>,
    /// Kernel: `sk_rmem_alloc`, bytes.
    charged: u32,
    /// Datagrams that didn't fit. Kernel: `sk_drops`.
    pub drops: u64,
}

/// What the kernel charges for a datagram of `len` bytes of data: the descriptor, and a buffer
/// from a size class that holds headers, data and trailer. Kernel: `skb->truesize`.
pub(super) fn truesize(len: usize) -> u32 {
    const DESCRIPTOR: u32 = 256;
    const SMALL_HEAD: u32 = 576;
    let need = u32::try_from(len).unwrap_or(u32::from(u16::MAX)).saturating_add(380);
    DESCRIPTOR + if need <= SMALL_HEAD { SMALL_HEAD } else { need.next_power_of_two() }
}

impl Datagrams {
    /// Appends a message of `len` bytes; false if the receive buffer is full.
    /// Kernel: `net/core/sock.c`, `sock_queue_rcv_skb`; `net/ipv4/udp.c`, `__udp_enqueue_schedule_skb`.
    pub fn push(&mut self, rcvbuf: u32, len: usize, received: Received) -> bool {
        if self.charged > rcvbuf {
            self.drops += 1;
            return false;
        }
        let cost = truesize(len);
        self.charged += cost;
        self.queue.push_back((cost, received));
        true
    }

    /// Takes the oldest message.
    pub fn pop(&mut self) -> Option<Received> {
        let (cost, received) = self.queue.pop_front()?;
        self.charged -= cost;
        Some(received)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Kernel: `sk_rmem_alloc_get`, what `ss` shows as Recv-Q, bytes.
    pub fn charged(&self) -> u32 {
        self.charged
    }
}
