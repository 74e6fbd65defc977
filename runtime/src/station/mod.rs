//! What belongs to a station and not to a list: its settings, its services, its directories, its shutdown command.

mod directories;
mod file;
mod need;
mod process;
mod resources;
mod service;
mod settings;
mod shutdown;

pub(crate) use directories::Places;
pub use directories::{StateDirectory, default_store, search_path};
pub(crate) use file::parse_json5;
pub use file::{FileError, Mistake, read_text};
pub(crate) use need::Need;
pub(crate) use resources::Resources;
pub use service::ServiceError;
pub(crate) use service::{ServiceGround, Services};
pub use settings::{Limits, Ready, SecretSource, Service, Settings};
pub use shutdown::{ShutdownError, shut_down};
