//! The receive window.

use packet::Tcp;

use super::{Env, INIT_CWND, MSS_DEFAULT, RMEM_MAX, TcpSocket};
use crate::socket::datagram::truesize;

impl TcpSocket {
    /// What of the receive buffer may be offered; the rest is overhead. Kernel: `tcp_full_space`.
    ///
    /// Simplified: the buffer doesn't grow by itself (no `tcp_rcv_space_adjust`), and data that
    /// waits counts without its overhead.
    pub(super) fn full_space(&self) -> u32 {
        ((u64::from(self.rcvbuf) * u64::from(self.scaling_ratio)) >> 8) as u32
    }

    /// Learns from a segment of `len` bytes which part of its memory is data.
    /// Kernel: `tcp_measure_rcv_mss`, `tcp_set_window_clamp`.
    pub(super) fn scale_window(&mut self, len: u32) {
        let ratio = ((u64::from(len) << 8) / u64::from(truesize(len as usize))) as u32;
        if ratio.max(1) == self.scaling_ratio {
            return;
        }
        self.scaling_ratio = ratio.max(1);
        let clamp = self.full_space();
        if clamp < self.window_clamp {
            self.rcv_ssthresh = self.rcv_ssthresh.min(clamp);
        } else if clamp > self.window_clamp {
            self.rcv_ssthresh = self.rcv_ssthresh.max(self.rcv_wnd.min(clamp));
        }
        self.window_clamp = clamp;
    }

    /// What is left of it. Kernel: `tcp_space`.
    fn space(&self) -> u32 {
        let used = self.received.len() + self.out_of_order.len();
        self.full_space().saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
    }

    /// Chooses the first window and its scale; 0 `segments` is no limit to it. Kernel: `net/ipv4/tcp_output.c`,
    /// `tcp_select_initial_window`.
    pub(super) fn select_initial_window(&mut self, mss: u32, wscale_ok: bool, segments: u32) {
        const U16_MAX: u32 = u16::MAX as u32;
        const MAX_WSCALE: u32 = 14;
        let clamp = if self.window_clamp == 0 { U16_MAX << MAX_WSCALE } else { self.window_clamp };
        let mut space = self.full_space().min(clamp);
        if space > mss && mss > 0 {
            space -= space % mss;
        }
        self.rcv_wnd = if segments == 0 { space } else { space.min(segments.saturating_mul(mss)) };
        self.rcv_wscale = 0;
        if wscale_ok {
            let largest = space.max(RMEM_MAX).min(clamp).max(1);
            self.rcv_wscale = largest.ilog2().saturating_sub(15).min(MAX_WSCALE) as u8;
        }
        self.window_clamp = clamp.min(U16_MAX << self.rcv_wscale);
        self.rcv_ssthresh = self.rcv_wnd;
    }

    /// Sets the limits that hold once the connection is made.
    /// Kernel: `net/ipv4/tcp_input.c`, `tcp_init_buffer_space`, `tcp_initialize_rcv_mss`.
    pub(super) fn init_buffer_space(&mut self, env: &Env) {
        const MIN_MSS: u32 = 88;
        let maxwin = self.full_space();
        self.window_clamp = self.window_clamp.min(maxwin);
        if self.window_clamp > 2 * self.advmss && self.window_clamp + self.advmss > maxwin {
            self.window_clamp = (2 * self.advmss).max(maxwin - self.advmss);
        }
        self.rcv_ssthresh = self.rcv_ssthresh.min(self.window_clamp);
        let hint = self.advmss.min(self.mss).min(self.rcv_wnd / 2).min(MSS_DEFAULT);
        self.rcv_mss = hint.max(MIN_MSS);
        // Kernel: `tcp_init_cwnd`.
        let cwnd = env.route.map_or(0, |route| route.init_cwnd);
        self.recovery.cwnd = if cwnd == 0 { INIT_CWND } else { cwnd };
    }

    /// What is left of the window last offered. Kernel: `tcp_receive_window`.
    pub(super) fn receive_window(&self) -> u32 {
        let window = self.rcv_wup.wrapping_add(self.rcv_wnd).wrapping_sub(self.rcv_nxt) as i32;
        window.max(0) as u32
    }

    /// The window to offer next, not yet scaled. Kernel: `__tcp_select_window`.
    pub(super) fn next_window(&mut self) -> u32 {
        let allowed = self.full_space();
        let full = self.window_clamp.min(allowed);
        let mss = self.rcv_mss.min(full);
        let mut free = self.space();
        if mss == 0 {
            return 0;
        }
        if free < full / 2 {
            self.quick = 0;
            free &= !((1 << self.rcv_wscale) - 1);
            if free < allowed / 16 || free < mss {
                return 0;
            }
        }
        free = free.min(self.rcv_ssthresh);
        if self.rcv_wscale > 0 {
            return free.next_multiple_of(1 << self.rcv_wscale);
        }
        let window = self.rcv_wnd;
        if window + mss <= free || window > free {
            free - free % mss
        } else if mss == full && free > window + full / 2 {
            free
        } else {
            window
        }
    }

    /// The window field of the segment that is being sent; from now on it is promised.
    /// Kernel: `tcp_select_window`.
    pub(super) fn select_window(&mut self) -> u16 {
        let current = self.receive_window();
        let mut window = self.next_window();
        if window < current {
            // An offered window is never taken back.
            window = current.next_multiple_of(1 << self.rcv_wscale);
        }
        self.rcv_wnd = window;
        self.rcv_wup = self.rcv_nxt;
        (window >> self.rcv_wscale).min(u32::from(u16::MAX)) as u16
    }

    /// Opens the window while data comes in segments that are worth it.
    /// Kernel: `net/ipv4/tcp_input.c`, `tcp_grow_window`.
    pub(super) fn grow_window(&mut self, tcp: &Tcp) {
        let len = tcp.payload.len() as u32;
        let limit = self.window_clamp.min(self.space());
        let Some(room) = limit.checked_sub(self.rcv_ssthresh).filter(|&room| room > 0) else { return };
        let step = (2 * self.advmss).max(2 * len);
        self.rcv_ssthresh += room.min(step);
        self.quick |= 1;
    }
}
