//! `bandwidth`: limits a container's rate. Plugins: `plugins/meta/bandwidth`.
//!
//! Simplified: the limits are checked and named on standard error, and nothing is limited.

use serde_json::Value;
use world::{Fd, Sys};

use super::call::Call;
use super::check::needed_previous;
use super::go_json::{self, Struct};
use super::{CniError, Plugin, Release};

pub(super) const PLUGIN: Plugin = Plugin { name: "bandwidth", add, check, del, status: None };

/// Rates in bits per second, bursts in bits; whether any is given.
fn has_limits(call: &Call) -> Result<bool, CniError> {
    let failed =
        |message: String| CniError::from(format!("failed to parse network configuration: {message}"));
    let value = go_json::parse(&call.stdin).map_err(failed)?;
    let fields = Struct::new(&value, "PluginConf", "main.PluginConf").map_err(failed)?;
    let runtime = fields.inner("runtimeConfig", "runtimeConfig.", "struct").map_err(failed)?;
    let limits =
        runtime.inner("bandwidth", "runtimeConfig.bandwidth.", "main.BandwidthEntry").map_err(failed)?;
    let mut any = false;
    for (rate, burst) in [("ingressRate", "ingressBurst"), ("egressRate", "egressBurst")] {
        let number = |key: &str| -> Result<i64, CniError> {
            let own = fields.get(key).and_then(Value::as_i64);
            Ok(own.or(limits.int(key).map_err(failed)?).unwrap_or(0))
        };
        match (number(rate)?, number(burst)?) {
            (0, 0) => {}
            (_, 0) => return Err("if rate is set, burst must also be set".to_owned().into()),
            (0, _) => return Err("if burst is set, rate must also be set".to_owned().into()),
            (_, burst) if burst / 8 >= i64::from(u32::MAX) => {
                return Err("burst cannot be more than 4GB".to_owned().into());
            }
            _ => any = true,
        }
    }
    Ok(any)
}

fn say(sys: &mut dyn Sys) {
    tools::console::write_all(sys, Fd::STDERR, "bandwidth: the limits are not simulated\n");
}

fn add(sys: &mut dyn Sys, release: Release, call: &Call) -> Result<String, CniError> {
    let limits = has_limits(call)?;
    let previous = needed_previous(call, "must be called as chained plugin")?;
    if limits {
        say(sys);
    }
    Ok(previous.print(&call.version()?, release)?)
}

fn check(_: &mut dyn Sys, _: Release, call: &Call) -> Result<String, CniError> {
    has_limits(call)?;
    needed_previous(call, "must be called as a chained plugin")?;
    Ok(String::new())
}

fn del(_: &mut dyn Sys, _: Release, call: &Call) -> Result<String, CniError> {
    has_limits(call)?;
    Ok(String::new())
}
