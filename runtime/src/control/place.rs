//! Where the socket is: in a directory beside the store that only its owner may enter.
//!
//! The path of a socket has room for about a hundred bytes, and a store can lie deeper. So the directory is opened, and the socket is named
//! through the descriptor.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The directory of the socket, held open.
#[derive(Debug)]
pub(super) struct Place {
    directory: File,
}

const SOCKET: &str = "socket";

impl Place {
    /// Makes the directory, private whatever it was before.
    pub fn create(store: &Path) -> io::Result<Self> {
        let path = beside(store);
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs::set_permissions(&path, Permissions::from_mode(0o700))?;
            }
            Err(error) => return Err(error),
        }
        Self::open(store)
    }

    /// The directory that is there.
    pub fn open(store: &Path) -> io::Result<Self> {
        Ok(Self { directory: File::open(beside(store))? })
    }

    /// The socket, for as long as this lives.
    pub fn socket(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.directory.as_raw_fd())).join(SOCKET)
    }
}

fn beside(store: &Path) -> PathBuf {
    let mut name = store.file_name().unwrap_or_default().to_os_string();
    name.push(".control");
    store.with_file_name(name)
}
