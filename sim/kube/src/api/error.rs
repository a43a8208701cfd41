use super::admit::Refused;
use super::{Invalid, Kind};

/// Why the API server refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// 404.
    NotFound,
    /// 409.
    AlreadyExists,
    /// 409: the object has changed since it was read.
    Conflict,
    /// 422.
    Invalid,
    /// 400.
    BadRequest,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 405.
    MethodNotAllowed,
    /// 410: it is too late for that.
    Expired,
    /// 415.
    UnsupportedMediaType,
    /// 500.
    InternalError,
}

impl Reason {
    /// As kubectl prints it in brackets.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotFound => "NotFound",
            Self::AlreadyExists => "AlreadyExists",
            Self::Conflict => "Conflict",
            Self::Invalid => "Invalid",
            Self::BadRequest => "BadRequest",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::Expired => "Expired",
            Self::UnsupportedMediaType => "UnsupportedMediaType",
            Self::InternalError => "InternalError",
        }
    }

    /// The HTTP status.
    pub const fn code(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::MethodNotAllowed => 405,
            Self::Expired => 410,
            Self::UnsupportedMediaType => 415,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Conflict => 409,
            Self::Invalid => 422,
            Self::InternalError => 500,
        }
    }
}

/// The API server's refusal: a `Status` object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// Why.
    pub reason: Reason,
    /// In words, as the API server says it.
    pub message: String,
    /// The fields that are wrong, for [`Reason::Invalid`].
    pub fields: Vec<Invalid>,
}

/// `pods`, `deployments.apps`.
fn qualified<K: Kind>() -> String {
    match K::GROUP {
        "" => K::URL_PATH_SEGMENT.to_owned(),
        group => format!("{}.{group}", K::URL_PATH_SEGMENT),
    }
}

impl ApiError {
    /// A refusal without fields.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), fields: Vec::new() }
    }

    /// There is no such object.
    pub fn not_found<K: Kind>(name: &str) -> Self {
        Self::new(Reason::NotFound, format!("{} \"{name}\" not found", qualified::<K>()))
    }

    /// There is one of that name.
    pub fn already_exists<K: Kind>(name: &str) -> Self {
        Self::new(Reason::AlreadyExists, format!("{} \"{name}\" already exists", qualified::<K>()))
    }

    /// It must not be done. Kubernetes: `apierrors.NewForbidden`.
    pub fn forbidden<K: Kind>(name: &str, why: &str) -> Self {
        Self::new(Reason::Forbidden, format!("{} \"{name}\" is forbidden: {why}", qualified::<K>()))
    }

    /// It has changed since it was read.
    pub fn conflict<K: Kind>(name: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": the object has been modified; please apply your \
             changes to the latest version and try again",
            qualified::<K>()
        );
        Self::new(Reason::Conflict, message)
    }

    /// What an object asks for isn't to be had.
    pub fn refused<K: Kind>(name: &str, refused: Refused) -> Self {
        match refused {
            Refused::Invalid(fields) => Self::invalid::<K>(name, fields),
            Refused::Forbidden(why) => Self::forbidden::<K>(name, &why),
            Refused::Internal(why) => {
                Self::new(Reason::InternalError, format!("Internal error occurred: {why}"))
            }
        }
    }

    /// Fields have values that they can't have. Kubernetes: `apierrors.NewInvalid`.
    pub fn invalid<K: Kind>(name: &str, fields: Vec<Invalid>) -> Self {
        let kind = match K::GROUP {
            "" => K::KIND.to_owned(),
            group => format!("{}.{group}", K::KIND),
        };
        let all: Vec<String> = fields.iter().map(ToString::to_string).collect();
        let list = match &all[..] {
            [one] => one.clone(),
            more => format!("[{}]", more.join(", ")),
        };
        Self { reason: Reason::Invalid, message: format!("{kind} \"{name}\" is invalid: {list}"), fields }
    }
}
