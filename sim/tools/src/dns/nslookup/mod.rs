//! `nslookup`: BIND's.

mod bind;

use world::{Next, Program, Registry, Sys};

/// Installs `nslookup`.
pub(super) fn install(registry: &mut Registry) {
    registry.install("nslookup", |args| Box::new(Nslookup(bind::Nslookup::new(args))));
}

#[derive(Clone, Debug)]
struct Nslookup(bind::Nslookup);

impl Program for Nslookup {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        self.0.resume(sys)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
