//! What the process asks for. Kernel: `net/ipv4/tcp.c`.

use crate::Errno;

use super::queue::SendSeg;
use super::{Ending, Env, State, TcpSocket, after};

impl TcpSocket {
    /// Data bytes that the send buffer holds at most.
    ///
    /// Simplified: counts data, not the memory of packets; grows with the congestion window like
    /// `tcp_sndbuf_expand`.
    fn sndbuf(&self) -> usize {
        const LARGEST: usize = super::WMEM_MAX as usize;
        (2 * self.recovery.cwnd.max(20) as usize * self.mss.max(1) as usize).min(LARGEST)
    }

    /// Whether the process must wait with more data.
    pub(in crate::socket) fn sndbuf_full(&self) -> bool {
        self.queue.bytes >= self.sndbuf()
    }

    /// Takes data to send; the number of bytes taken. Kernel: `tcp_sendmsg_locked`.
    pub(in crate::socket) fn send(&mut self, env: &mut Env, data: &[u8]) -> Result<usize, Errno> {
        match self.state {
            State::Established | State::CloseWait if !self.shut_write => {}
            State::SynSent | State::SynRecv => return Err(Errno::Again),
            _ => return Err(Errno::Pipe),
        }
        let mss = self.current_mss(env) as usize;
        let mut left = data;
        while !left.is_empty() && !self.sndbuf_full() {
            let has_room = self.queue.has_unsent()
                && self.queue.segs.back().is_some_and(|tail| tail.data.is_empty() && tail.draft.len() < mss);
            if !has_room {
                self.queue.push(SendSeg::new(self.write_seq));
            }
            let Some(tail) = self.queue.segs.back_mut() else { break };
            let (now, later) = left.split_at(left.len().min(mss - tail.draft.len()));
            tail.draft.extend_from_slice(now);
            tail.psh = false;
            self.queue.bytes += now.len();
            self.write_seq = self.write_seq.wrapping_add(now.len() as u32);
            left = later;
            let forced = after(self.write_seq, self.pushed_seq.wrapping_add(self.max_window / 2));
            if forced {
                tail.psh = true;
                self.pushed_seq = self.write_seq;
            }
        }
        let taken = data.len() - left.len();
        if taken == 0 {
            return if data.is_empty() { Ok(0) } else { Err(Errno::Again) };
        }
        if self.queue.has_unsent()
            && let Some(tail) = self.queue.segs.back_mut()
        {
            tail.psh = true;
            self.pushed_seq = self.write_seq;
        }
        self.push_pending(env);
        Ok(taken)
    }

    /// Takes data that arrived; `Ok(empty)` is the end. Kernel: `tcp_recvmsg_locked`.
    pub(in crate::socket) fn recv(&mut self, env: &mut Env, max: usize) -> Result<Vec<u8>, Errno> {
        if self.state == State::Listen {
            return Err(Errno::NotConn);
        }
        let len = max.min(self.received.len());
        if len > 0 {
            let data: Vec<u8> = self.received.drain(..len).collect();
            self.copied_seq = self.copied_seq.wrapping_add(len as u32);
            self.cleanup_rbuf(env);
            return Ok(data);
        }
        if self.done {
            // The FIN counts as read.
            self.copied_seq = self.rcv_nxt;
            return Ok(Vec::new());
        }
        if let Some(errno) = self.error.take() {
            return Err(errno);
        }
        if self.shut_read {
            return Ok(Vec::new());
        }
        match self.state {
            State::Closed => Err(Errno::NotConn),
            _ => Err(Errno::Again),
        }
    }

    /// Data was read: tells the other end if the window opened much. Kernel: `__tcp_cleanup_rbuf`.
    fn cleanup_rbuf(&mut self, env: &mut Env) {
        if matches!(self.state, State::Closed | State::Listen | State::TimeWait) {
            return;
        }
        let unacked = self.rcv_nxt.wrapping_sub(self.rcv_wup);
        let drained = self.received.is_empty()
            && (self.ack_pushed == 2 || (self.ack_pushed == 1 && self.pingpong == 0));
        let mut now = self.ack_scheduled && (unacked > self.rcv_mss || drained);
        if !now && !self.shut_read {
            let window = self.receive_window();
            if 2 * window <= self.window_clamp {
                let next = self.next_window();
                now = next > 0 && next >= 2 * window;
            }
        }
        if now {
            self.answering = None;
            self.send_ack(env);
        }
    }

    /// Sends the end of the data. Kernel: `tcp_shutdown`.
    pub(in crate::socket) fn shutdown_write(&mut self, env: &mut Env) -> Result<(), Errno> {
        match self.state {
            State::Closed | State::Listen | State::TimeWait => return Err(Errno::NotConn),
            State::SynSent => {
                // Kernel: `inet_shutdown` disconnects.
                self.tcp_done();
                return Ok(());
            }
            State::SynRecv
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck => {}
        }
        self.shut_write = true;
        if self.close_state() {
            self.send_fin(env);
        }
        self.wake = true;
        Ok(())
    }

    /// Moves on because this side has no more data; true if a FIN is due. Kernel: `tcp_close_state`.
    fn close_state(&mut self) -> bool {
        match self.state {
            State::SynRecv | State::Established => {
                self.state = State::FinWait1;
                true
            }
            State::CloseWait => {
                self.state = State::LastAck;
                true
            }
            State::SynSent | State::Listen => {
                self.state = State::Closed;
                false
            }
            State::Closed
            | State::FinWait1
            | State::FinWait2
            | State::Closing
            | State::LastAck
            | State::TimeWait => false,
        }
    }

    /// The last descriptor is closed. Kernel: `__tcp_close`.
    pub(in crate::socket) fn close(&mut self, env: &mut Env, linger_zero: bool) {
        self.answering = None;
        self.shut_read = true;
        self.shut_write = true;
        let unread = !self.received.is_empty();
        self.received.clear();
        self.orphan = true;
        if self.state == State::Closed {
            self.tcp_done();
            return;
        }
        if unread || (linger_zero && !matches!(self.state, State::SynSent | State::Listen)) {
            self.send_active_reset(env);
            self.queue.clear();
            self.tcp_done();
            return;
        }
        if self.close_state() {
            self.send_fin(env);
        }
        match self.state {
            State::FinWait2 => {
                self.ending = Ending::TimeWait(State::FinWait2, env.settings.fin_timeout);
                self.tcp_done();
            }
            State::Closed => self.tcp_done(),
            State::Listen
            | State::SynSent
            | State::SynRecv
            | State::Established
            | State::FinWait1
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => {}
        }
    }
}
