use std::collections::VecDeque;

use packet::{PacketId, Payload, SimTime};

use super::{after, before};

/// Data to send and data sent but not acknowledged: one entry a segment, in order of sequence.
/// Kernel: `sk_write_queue` and `tcp_rtx_queue`.
///
/// - Invariant: the first `sent` entries were sent at least once.
#[derive(Clone, Debug, Default)]
pub(crate) struct SendQueue {
    pub segs: VecDeque<SendSeg>,
    /// Number of entries that were sent. Kernel: `packets_out`.
    pub sent: usize,
    /// Data bytes in the queue.
    pub bytes: usize,
}

/// One segment to send. Kernel: `struct sk_buff` with its `struct tcp_skb_cb`.
#[derive(Clone, Debug)]
pub(crate) struct SendSeg {
    pub seq: u32,
    /// Data that still grows; becomes `data` when first sent.
    pub draft: Vec<u8>,
    pub data: Payload,
    pub syn: bool,
    pub fin: bool,
    pub psh: bool,
    /// When it was last sent.
    pub sent_at: SimTime,
    /// When it was first sent.
    pub first_sent: SimTime,
    /// Its last packet.
    pub packet: PacketId,
    /// Times it was sent again. Kernel: `TCPCB_EVER_RETRANS`.
    pub retransmits: u32,
    /// Kernel: `TCPCB_SACKED_ACKED`.
    pub sacked: bool,
    /// Kernel: `TCPCB_LOST`.
    pub lost: bool,
    /// Sent again and not yet taken for lost again. Kernel: `TCPCB_SACKED_RETRANS`.
    pub resent: bool,
}

impl SendSeg {
    /// An empty segment at `seq`.
    pub fn new(seq: u32) -> Self {
        Self {
            seq,
            draft: Vec::new(),
            data: Payload::EMPTY,
            syn: false,
            fin: false,
            psh: false,
            sent_at: SimTime::ZERO,
            first_sent: SimTime::ZERO,
            packet: PacketId(0),
            retransmits: 0,
            sacked: false,
            lost: false,
            resent: false,
        }
    }

    /// Data bytes.
    pub fn len(&self) -> usize {
        self.draft.len() + self.data.len()
    }

    /// The sequence number after it.
    pub fn end_seq(&self) -> u32 {
        self.seq
            .wrapping_add(self.len() as u32)
            .wrapping_add(u32::from(self.syn))
            .wrapping_add(u32::from(self.fin))
    }

    /// Its data, from now on fixed.
    pub fn freeze(&mut self) -> Payload {
        if !self.draft.is_empty() {
            self.data = std::mem::take(&mut self.draft).into();
        }
        self.data.clone()
    }
}

impl SendQueue {
    /// Forgets everything. Kernel: `tcp_write_queue_purge`.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether something was never sent. Kernel: `tcp_send_head`.
    pub fn has_unsent(&self) -> bool {
        self.sent < self.segs.len()
    }

    /// Appends a segment that was not sent.
    pub fn push(&mut self, seg: SendSeg) {
        self.bytes += seg.len();
        self.segs.push_back(seg);
    }

    /// Cuts entry `index` so that it holds `len` bytes; the rest becomes the next entry.
    /// Kernel: `tcp_fragment`.
    pub fn split(&mut self, index: usize, len: usize) {
        let Some(seg) = self.segs.get_mut(index) else { return };
        if len == 0 || len >= seg.len() {
            return;
        }
        let data = seg.freeze();
        let mut rest = seg.clone();
        seg.data = data[..len].into();
        seg.fin = false;
        seg.psh = false;
        rest.data = data[len..].into();
        rest.seq = seg.seq.wrapping_add(len as u32);
        rest.syn = false;
        self.segs.insert(index + 1, rest);
        if index < self.sent {
            self.sent += 1;
        }
    }

    /// Makes entry `index` hold `len` bytes, with data of the entries after it if need be.
    pub fn join(&mut self, index: usize, len: usize) {
        while let Some(next) = self.segs.get(index + 1) {
            if self.segs[index].len() >= len {
                break;
            }
            let (seq, fin, psh) = (next.seq, next.fin, next.psh);
            let Some(mut next) = self.segs.remove(index + 1) else { break };
            let seg = &mut self.segs[index];
            debug_assert_eq!(seg.end_seq(), seq);
            let mut data = seg.freeze().to_vec();
            data.extend_from_slice(&next.freeze());
            seg.data = data.into();
            seg.fin = fin;
            seg.psh = psh;
        }
        self.split(index, len);
    }

    /// Takes off what `ack` acknowledges whole, and trims a segment it acknowledges in part.
    /// Kernel: `tcp_clean_rtx_queue`, `tcp_trim_head`.
    pub fn acknowledge(&mut self, ack: u32) -> Vec<SendSeg> {
        let mut acked = Vec::new();
        while self.sent > 0 {
            let Some(first) = self.segs.front_mut() else { break };
            if after(first.end_seq(), ack) {
                if before(first.seq, ack) && !first.syn {
                    let gone = ack.wrapping_sub(first.seq) as usize;
                    let data = first.freeze();
                    first.data = data[gone.min(data.len())..].into();
                    first.seq = ack;
                    self.bytes -= gone.min(data.len());
                }
                break;
            }
            self.bytes -= first.len();
            self.sent -= 1;
            acked.extend(self.segs.pop_front());
        }
        acked
    }

    /// The entries that were sent.
    pub fn sent_segs(&mut self) -> impl Iterator<Item = &mut SendSeg> {
        let sent = self.sent;
        self.segs.iter_mut().take(sent)
    }

    /// Number of sent entries for which `what` holds.
    pub fn count(&self, what: impl Fn(&SendSeg) -> bool) -> usize {
        self.segs.iter().take(self.sent).filter(|seg| what(seg)).count()
    }
}

/// Received data that has a hole before it. Kernel: `out_of_order_queue`.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutOfOrder {
    /// Segments without overlap, in order of sequence: first, data, FIN after it.
    segs: Vec<(u32, Payload, bool)>,
    /// Blocks as the next ACK reports them, newest first. Kernel: `selective_acks`.
    pub sacks: Vec<(u32, u32)>,
}

impl OutOfOrder {
    /// Whether there is no hole.
    pub fn is_empty(&self) -> bool {
        self.segs.is_empty()
    }

    /// Data bytes held.
    pub fn len(&self) -> usize {
        self.segs.iter().map(|(_, data, _)| data.len()).sum()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Keeps what is new of a segment; false if nothing of it is.
    /// Kernel: `net/ipv4/tcp_input.c`, `tcp_data_queue_ofo`.
    pub fn insert(&mut self, seq: u32, data: &Payload, fin: bool) -> bool {
        let end_of =
            |seq: u32, data: &Payload, fin: bool| seq.wrapping_add(data.len() as u32 + u32::from(fin));
        let end = end_of(seq, data, fin);
        let mut pieces = Vec::new();
        let mut from = seq;
        for (held, held_data, held_fin) in &self.segs {
            let held_end = end_of(*held, held_data, *held_fin);
            if before(from, *held) && before(from, end) {
                let to = if before(*held, end) { *held } else { end };
                pieces.push((from, to));
            }
            if after(held_end, from) && before(*held, end) {
                from = held_end;
            }
        }
        if before(from, end) {
            pieces.push((from, end));
        }
        let new = !pieces.is_empty();
        for (from, to) in pieces {
            let start = (from.wrapping_sub(seq) as usize).min(data.len());
            let stop = (to.wrapping_sub(seq) as usize).min(data.len());
            let piece: Payload = data[start..stop].into();
            let at = self.segs.partition_point(|(held, _, _)| before(*held, from));
            self.segs.insert(at, (from, piece, fin && to == end));
        }
        self.report(seq, end);
        new
    }

    /// Takes the segment that continues at `rcv_nxt`.
    pub fn next(&mut self, rcv_nxt: u32) -> Option<(Payload, bool)> {
        let (seq, _, _) = self.segs.first()?;
        if *seq != rcv_nxt {
            return None;
        }
        let (_, data, fin) = self.segs.remove(0);
        Some((data, fin))
    }

    /// Drops what data received in order has overtaken, wholly or in part.
    pub fn overtaken(&mut self, rcv_nxt: u32) {
        self.segs.retain_mut(|(seq, data, fin)| {
            let end = seq.wrapping_add(data.len() as u32 + u32::from(*fin));
            if !after(end, rcv_nxt) {
                return false;
            }
            if before(*seq, rcv_nxt) {
                let gone = (rcv_nxt.wrapping_sub(*seq) as usize).min(data.len());
                *data = data[gone..].into();
                *seq = rcv_nxt;
            }
            true
        });
        self.sacks.retain(|&(_, end)| after(end, rcv_nxt));
    }

    /// Puts the block that holds `seq..end` first. Kernel: `tcp_sack_new_ofo_skb`.
    fn report(&mut self, seq: u32, end: u32) {
        const MAX_BLOCKS: usize = 4;
        let mut block = (seq, end);
        self.sacks.retain(|&(start, stop)| {
            let apart = after(start, block.1) || before(stop, block.0);
            if !apart {
                block.0 = if before(start, block.0) { start } else { block.0 };
                block.1 = if after(stop, block.1) { stop } else { block.1 };
            }
            apart
        });
        self.sacks.insert(0, block);
        self.sacks.truncate(MAX_BLOCKS);
    }
}
