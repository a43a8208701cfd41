use thiserror::Error;

macro_rules! errnos {
    ($($variant:ident = $number:literal, $text:literal;)*) => {
        /// The error number a system call or netlink request fails with; the tool owns any other
        /// wording. Kernel: `include/uapi/asm-generic/errno-base.h`, `errno.h`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
        pub enum Errno { $(#[doc = $text] #[error($text)] $variant,)* }

        impl Errno {
            /// The number on x86-64 and arm64.
            pub const fn number(self) -> i32 {
                match self { $(Self::$variant => $number,)* }
            }

            /// The error of that number.
            pub const fn from_number(number: i32) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

errnos! {
    Perm = 1, "Operation not permitted";
    NoEnt = 2, "No such file or directory";
    Srch = 3, "No such process";
    Intr = 4, "Interrupted system call";
    Io = 5, "Input/output error";
    NxIo = 6, "No such device or address";
    BadF = 9, "Bad file descriptor";
    Child = 10, "No child processes";
    Again = 11, "Resource temporarily unavailable";
    NoMem = 12, "Cannot allocate memory";
    Acces = 13, "Permission denied";
    Busy = 16, "Device or resource busy";
    Exist = 17, "File exists";
    XDev = 18, "Invalid cross-device link";
    NoDev = 19, "No such device";
    NotDir = 20, "Not a directory";
    IsDir = 21, "Is a directory";
    Inval = 22, "Invalid argument";
    NoSpc = 28, "No space left on device";
    RoFs = 30, "Read-only file system";
    Pipe = 32, "Broken pipe";
    Range = 34, "Numerical result out of range";
    NotEmpty = 39, "Directory not empty";
    Loop = 40, "Too many levels of symbolic links";
    NoNet = 64, "Machine is not on the network";
    DestAddrReq = 89, "Destination address required";
    NoProtoOpt = 92, "Protocol not available";
    ProtoNoSupport = 93, "Protocol not supported";
    OpNotSupp = 95, "Operation not supported";
    AfNoSupport = 97, "Address family not supported by protocol";
    AddrInUse = 98, "Address already in use";
    AddrNotAvail = 99, "Cannot assign requested address";
    NetDown = 100, "Network is down";
    NetUnreach = 101, "Network is unreachable";
    ConnReset = 104, "Connection reset by peer";
    NoBufs = 105, "No buffer space available";
    IsConn = 106, "Transport endpoint is already connected";
    NotConn = 107, "Transport endpoint is not connected";
    TimedOut = 110, "Connection timed out";
    ConnRefused = 111, "Connection refused";
    HostDown = 112, "Host is down";
    HostUnreach = 113, "No route to host";
    Already = 114, "Operation already in progress";
    InProgress = 115, "Operation now in progress";
    MsgSize = 90, "Message too long";
    Proto = 71, "Protocol error";
    MLink = 31, "Too many links";
    IpsetProtocol = 4097, "Unknown error 4097";
    IpsetBusy = 4100, "Unknown error 4100";
    IpsetSetName2 = 4101, "Unknown error 4101";
    IpsetTypeMismatch = 4102, "Unknown error 4102";
    IpsetExist = 4103, "Unknown error 4103";
    IpsetCidr = 4104, "Unknown error 4104";
    IpsetNetmask = 4105, "Unknown error 4105";
    IpsetTimeout = 4107, "Unknown error 4107";
    IpsetReferenced = 4108, "Unknown error 4108";
    IpsetCounter = 4111, "Unknown error 4111";
    IpsetComment = 4112, "Unknown error 4112";
    IpsetSkbInfo = 4114, "Unknown error 4114";
    IpsetBitmask = 4115, "Unknown error 4115";
    IpsetType0 = 4352, "Unknown error 4352";
    IpsetType1 = 4353, "Unknown error 4353";
    IpsetType2 = 4354, "Unknown error 4354";
    IpsetType3 = 4355, "Unknown error 4355";
    IpsetType5 = 4357, "Unknown error 4357";
}

/// A refused request: the error number and, as netlink's extended acknowledgement, a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Error number.
    pub errno: Errno,
    /// `NLMSGERR_ATTR_MSG`, without `Error: ` and with its final period.
    pub extack: Option<String>,
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self { errno, extack: None }
    }
}

impl Refusal {
    /// A refusal with the kernel's sentence.
    pub fn because(errno: Errno, extack: impl Into<String>) -> Self {
        Self { errno, extack: Some(extack.into()) }
    }
}
