//! `http-echo`: an HTTP/1.1 server that answers every request with one text.

use std::net::SocketAddr;

use world::{Args, Next, Program, Registry, Sys};

use super::http_server::HttpServer;
use super::{GoFlags, complain, socket_addr};

/// Installs `http-echo`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install("http-echo", |args| {
        Box::new(HttpEcho { args, server: None, text: String::new(), show_peer: false })
    });
}

#[derive(Clone, Debug)]
struct HttpEcho {
    args: Args,
    server: Option<HttpServer>,
    text: String,
    show_peer: bool,
}

impl HttpEcho {
    fn start(&mut self, sys: &mut dyn Sys) -> Result<HttpServer, String> {
        let flags = GoFlags::parse(&self.args[1..], &["listen", "text"], &["show-peer"])?;
        let listen = flags.get("listen").unwrap_or(":5678");
        let addr =
            socket_addr(listen).ok_or_else(|| format!("invalid -listen {listen}: expected ADDR:PORT"))?;
        self.text = flags.get("text").unwrap_or("hello-world").to_owned();
        self.show_peer = flags.has("show-peer");
        HttpServer::listen(sys, addr, 64).map_err(|errno| format!("listen: {errno}"))
    }

    fn answer(&self, peer: SocketAddr) -> Vec<u8> {
        let from = if self.show_peer { format!(" from {}", peer.ip()) } else { String::new() };
        let body = format!("{}{from}\n", self.text);
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            .into_bytes()
    }
}

impl Program for HttpEcho {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let mut server = match self.server.take().map_or_else(|| self.start(sys), Ok) {
            Ok(server) => server,
            Err(message) => {
                complain(sys, &format!("http-echo: {message}\n"));
                return Next::Exit(1);
            }
        };
        let next = server.serve(sys, &|_, peer, _| self.answer(peer));
        self.server = Some(server);
        next
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
