//! stub
use std::path::{Path, PathBuf};
use crate::diagnostic::Diagnostic;
use crate::source::SourceMap;
/// x
#[derive(Clone, Debug, Default)]
pub struct Settings { 
    /// x
    pub directory: Option<PathBuf>, 
    /// x
    pub layers: Vec<PathBuf>,
    /// x
    pub tests: Option<PathBuf>,
    /// x
    pub po: Option<PathBuf>,
    /// x
    pub station: Option<PathBuf>,
 }
impl Settings {
    /// x
    pub fn nearest(_d: &Path, _s: &mut SourceMap, _g: &mut Vec<Diagnostic>) -> Self { Self::default() }
}
