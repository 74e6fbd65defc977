//! What belongs to a station and not to a list: its settings, its services, its directories, its shutdown command.

mod directories;
mod service;
mod settings;
mod shutdown;

pub(crate) use directories::Places;
pub use directories::{StateDirectory, default_store, search_path};
pub use service::{ServiceError, Services};
pub use settings::{Limits, Ready, Service, Settings, SettingsError};
pub use shutdown::{ShutdownError, shut_down};
