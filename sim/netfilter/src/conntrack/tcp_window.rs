use packet::{Tcp, TcpFlags};

use super::tcp::{TcpSeen, TcpSeenFlags, after, before, segment_end};
use super::{Dir, TcpIndex, TcpState, TcpTrack};

/// What the window says of a segment. Kernel: `enum nf_ct_tcp_action`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InWindow {
    /// It belongs to the connection.
    Accept,
    /// It is let through without effect; why.
    Ignore(String),
    /// It doesn't belong to it; why.
    Invalid(String),
}

/// Kernel: `MAXACKWINCONST`.
const MAX_ACK_WINDOW: u32 = 66_000;

/// The greatest right edge of a SACK block behind `ack`, or `ack`. Kernel: `tcp_sack`.
fn sack_edge(tcp: &Tcp, ack: u32) -> u32 {
    let blocks = tcp.options.as_ref().map_or(&[][..], |options| options.sack.as_slice());
    blocks.iter().fold(ack, |edge, (_, right)| if after(*right, edge) { *right } else { edge })
}

/// Takes note of a SYN's sender. Kernel: `tcp_init_sender`.
fn init_sender(sender: &mut TcpSeen, receiver: &mut TcpSeen, tcp: &Tcp, end: u32, dir: Dir) {
    sender.end = end;
    sender.maxend = end;
    sender.maxwin = u32::from(tcp.window).max(1);
    sender.options(tcp);
    // Both ends must offer window scaling.
    let scales = |seen: &TcpSeen| seen.flags.has(TcpSeenFlags::WINDOW_SCALE);
    if dir == Dir::Reply && !(scales(sender) && scales(receiver)) {
        sender.scale = 0;
        receiver.scale = 0;
    }
}

impl TcpTrack {
    /// Whether a segment fits what both ends have sent and offered, and takes note of it.
    /// Kernel: `tcp_in_window`.
    pub(super) fn in_window(&mut self, dir: Dir, index: TcpIndex, liberal: bool, tcp: &Tcp) -> InWindow {
        let state = self.state;
        let [original, reply] = &mut self.seen;
        let (sender, receiver) = match dir {
            Dir::Original => (original, reply),
            Dir::Reply => (reply, original),
        };
        let has = |flag| tcp.flags.contains(flag);
        let (syn, is_ack) = (has(TcpFlags::SYN), has(TcpFlags::ACK));
        let (mut seq, mut ack, mut end) = (tcp.seq, tcp.ack, segment_end(tcp));
        let mut win = u32::from(tcp.window);
        let mut sack = match receiver.flags.has(TcpSeenFlags::SACK_PERM) {
            true => sack_edge(tcp, ack),
            false => ack,
        };
        if sender.maxwin == 0 {
            if syn {
                init_sender(sender, receiver, tcp, end, dir);
                if !is_ack {
                    return InWindow::Accept;
                }
            } else {
                // In the middle of a connection.
                sender.end = end;
                sender.maxwin = (win << sender.scale).max(1);
                sender.maxend = end.wrapping_add(sender.maxwin);
                if receiver.maxwin == 0 {
                    receiver.end = sack;
                    receiver.maxend = sack;
                } else if sack == receiver.end.wrapping_add(1) {
                    receiver.end = receiver.end.wrapping_add(1);
                }
            }
        } else if syn && after(end, sender.end) && matches!(state, TcpState::SynSent | TcpState::SynRecv) {
            init_sender(sender, receiver, tcp, end, dir);
            if dir == Dir::Reply && !is_ack {
                return InWindow::Accept;
            }
        }
        if !is_ack || has(TcpFlags::RST) && ack == 0 {
            ack = receiver.end;
            sack = ack;
        }
        if has(TcpFlags::RST) && seq == 0 && state == TcpState::SynSent {
            // Answers the SYN.
            seq = sender.end;
            end = seq;
        }
        let liberal = liberal || sender.flags.has(TcpSeenFlags::BE_LIBERAL);
        // Kernel: `nf_tcp_log_invalid`.
        let unless_liberal = |verdict: InWindow| if liberal { InWindow::Accept } else { verdict };
        let max_ack_window = sender.maxwin.max(MAX_ACK_WINDOW);
        let lowest_ack = receiver.end.wrapping_sub(max_ack_window).wrapping_sub(1);
        let lowest_seq = sender.end.wrapping_sub(receiver.maxwin).wrapping_sub(1);
        if !before(seq, sender.maxend.wrapping_add(1)) {
            let overshot = end.wrapping_sub(sender.maxend).wrapping_add(1);
            let in_receive_window = receiver.maxwin != 0 && after(end, lowest_seq);
            if in_receive_window
                && after(sack, lowest_ack)
                && overshot <= receiver.maxwin
                && before(sack, receiver.end.wrapping_add(1))
            {
                sender.end = end;
                sender.flags.set(TcpSeenFlags::DATA_UNACKNOWLEDGED);
                return unless_liberal(InWindow::Ignore(format!("{overshot} bytes more than expected")));
            }
            let bound = sender.maxend.wrapping_add(1);
            return unless_liberal(InWindow::Invalid(format!(
                "SEQ is over upper bound {bound} (over the window of the receiver)"
            )));
        }
        if !before(sack, receiver.end.wrapping_add(1)) {
            let bound = receiver.end.wrapping_add(1);
            return unless_liberal(InWindow::Invalid(format!(
                "ACK is over upper bound {bound} (ACKed data not seen yet)"
            )));
        }
        if receiver.maxwin != 0 && !after(end, lowest_seq) {
            return unless_liberal(InWindow::Ignore(format!(
                "SEQ is under lower bound {lowest_seq} (already ACKed data retransmitted)"
            )));
        }
        if !after(sack, lowest_ack) {
            return unless_liberal(InWindow::Ignore(format!(
                "ignored ACK under lower bound {lowest_ack} (possible overly delayed)"
            )));
        }
        if !syn {
            win <<= sender.scale;
        }
        sender.maxwin = sender.maxwin.max(win.wrapping_add(sack.wrapping_sub(ack)));
        if after(end, sender.end) {
            sender.end = end;
            sender.flags.set(TcpSeenFlags::DATA_UNACKNOWLEDGED);
        }
        if is_ack && (!sender.flags.has(TcpSeenFlags::MAXACK_SET) || after(ack, sender.maxack)) {
            sender.maxack = ack;
            sender.flags.set(TcpSeenFlags::MAXACK_SET);
        }
        if receiver.maxwin != 0 && after(end, sender.maxend) {
            receiver.maxwin = receiver.maxwin.wrapping_add(end.wrapping_sub(sender.maxend));
        }
        if after(sack.wrapping_add(win), receiver.maxend.wrapping_sub(1)) {
            receiver.maxend = sack.wrapping_add(win);
            if win == 0 {
                receiver.maxend = receiver.maxend.wrapping_add(1);
            }
        }
        if ack == receiver.end {
            receiver.flags.clear(TcpSeenFlags::DATA_UNACKNOWLEDGED);
        }
        if index == TcpIndex::Ack {
            let last = (self.last_dir, self.last_seq, self.last_ack, self.last_end, self.last_win);
            let this = (dir, seq, ack, end, tcp.window);
            if last == this {
                self.retrans = self.retrans.wrapping_add(1);
            } else {
                (self.last_dir, self.last_seq, self.last_ack, self.last_end, self.last_win) = this;
                self.retrans = 0;
            }
        }
        InWindow::Accept
    }
}
