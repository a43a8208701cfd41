use packet::{DevId, HostId, NetnsId, Pid};
use trace::Names;

use crate::World;

impl Names for World {
    fn host(&self, host: HostId) -> String {
        World::host(self, host).name.clone()
    }

    fn netns(&self, host: HostId, netns: NetnsId) -> String {
        if netns == NetnsId::INIT {
            return String::new();
        }
        let names = &World::host(self, host).netns_names;
        names
            .iter()
            .find(|&(_, &id)| id == netns)
            .map_or_else(|| format!("netns{netns}"), |(name, _)| name.clone())
    }

    fn dev(&self, host: HostId, dev: DevId) -> String {
        World::host(self, host).get_dev(dev).map_or_else(|| format!("dev{dev}"), |device| device.name.clone())
    }

    fn process(&self, host: HostId, pid: Pid) -> Option<String> {
        self.process_args(host, pid).map(|args| args.join(" "))
    }
}
