use kernel::Errno;
use netfilter::set::SetType;

/// Which command the kernel refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Create,
    Destroy,
    Flush,
    Rename,
    Swap,
    Add,
    Del,
    List,
}

/// What ipset says of the kernel's refusal. libipset `errcode.c`.
pub fn wording(verb: Verb, errno: Errno, kind: Option<SetType>) -> String {
    let number = errno.number();
    let family = kind.map_or("", |kind| kind.name().split(':').next().unwrap_or_default());
    let text = match (family, number) {
        ("bitmap", 4352) => "Element is out of the range of the set",
        ("bitmap", 4353) if verb == Verb::Create => {
            "The range you specified exceeds the size limit of the set type"
        }
        ("hash", 4352) => "Hash is full, cannot add more elements",
        ("hash", 4353) => "Null-valued element, cannot be stored in a hash type of set",
        ("hash", 4354) => "Invalid protocol specified",
        ("hash", 4355) => "Protocol missing, but must be specified",
        ("hash", 4357) => "Invalid range, covers the whole address space",
        ("list", 4352) => "Set to be added/deleted/tested as element does not exist.",
        ("list", 4353) => "Sets with list:set type cannot be added to the set.",
        ("list", 4354) => "No reference set specified.",
        ("list", 4355) => "The set to which you referred with 'before' or 'after' does not exist.",
        ("list", 4357) => "The set to which you referred with 'before' or 'after' is not added to the set.",
        _ => core(verb, number),
    };
    if !text.is_empty() {
        text.to_owned()
    } else if number < 4096 {
        format!("Kernel error received: {errno}")
    } else {
        format!("Undecoded error {number} received from kernel")
    }
}

/// The errors of every type; empty for one that has no wording.
const fn core(verb: Verb, number: i32) -> &'static str {
    match (number, verb) {
        (2, _) => "The set with the given name does not exist",
        (17, Verb::Create) => "Set cannot be created: set with the same name already exists",
        (4097, _) => "Kernel error received: ipset protocol error",
        (4100, Verb::Destroy) => "Set cannot be destroyed: it is in use by a kernel component",
        (4101, Verb::Rename) => "Set cannot be renamed: a set with the new name already exists",
        (4101, Verb::Swap) => "Sets cannot be swapped: the second set does not exist",
        (4102, Verb::Swap) => "The sets cannot be swapped: their type does not match",
        (4103, Verb::Add) => "Element cannot be added to the set: it's already added",
        (4103, Verb::Del) => "Element cannot be deleted from the set: it's not added",
        (4104, _) => "The value of the CIDR parameter of the IP address is invalid",
        (4105, _) => "The value of the netmask parameter is invalid",
        (4107, _) => "Timeout cannot be used: set was created without timeout support",
        (4108, Verb::Rename) => "Set cannot be renamed: it is in use by another system",
        (4111, _) => "Packet/byte counters cannot be used: set was created without counter support",
        (4112, _) => "Comment cannot be used: set was created without comment support",
        (4114, _) => "Skbinfo mapping cannot be used: set was created without skbinfo support",
        (4115, _) => "netmask and bitmask options are mutually exclusive, provide only one",
        _ => "",
    }
}
