use std::cmp::Reverse;
use std::collections::BinaryHeap;

use kernel::Timer;
use packet::{HostId, Pid, SimTime, Skb};

use crate::Signal;

/// What will happen on a host.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A frame arrives at `skb.dev`.
    Receive(Skb),
    /// A kernel timer fires.
    Timer(Timer),
    /// A process runs.
    Resume(Pid),
    /// A sleeping process reaches its time; void if it sleeps for another reason by now.
    Alarm { pid: Pid, sleep: u64 },
    /// A process gets a signal.
    Signal(Pid, Signal),
}

/// The order of all events of all hosts: by time, then by the order of scheduling.
///
/// The events themselves lie with their hosts ([`EventSlots`]), so that cloning a world copies
/// small keys only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<Key>>,
    next_seq: u64,
}

/// Where an event lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub at: SimTime,
    seq: u64,
    pub host: HostId,
    pub slot: u32,
}

impl Queue {
    #[inline]
    pub fn push(&mut self, at: SimTime, host: HostId, slot: u32) {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.heap.push(Reverse(Key { at, seq, host, slot }));
    }

    #[inline]
    pub fn peek(&self) -> Option<Key> {
        self.heap.peek().map(|r| r.0)
    }

    #[inline]
    pub fn pop(&mut self) -> Option<Key> {
        self.heap.pop().map(|r| r.0)
    }

    /// Number of events that wait.
    pub fn len(&self) -> usize {
        self.heap.len()
    }
}

/// The events of one host, by slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventSlots {
    slots: Vec<Option<Event>>,
    free: Vec<u32>,
}

impl EventSlots {
    #[inline]
    pub fn insert(&mut self, event: Event) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Some(event);
            return slot;
        }
        self.slots.push(Some(event));
        u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 events wait at once")
    }

    pub fn get(&self, slot: u32) -> Option<&Event> {
        self.slots.get(slot as usize)?.as_ref()
    }

    #[inline]
    pub fn take(&mut self, slot: u32) -> Event {
        self.free.push(slot);
        self.slots[slot as usize].take().expect("each key in the queue owns its slot")
    }
}
