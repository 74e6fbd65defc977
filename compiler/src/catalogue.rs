//! stub
use tlc_plan::plan::Text;
use crate::diagnostic::Diagnostic;
use crate::source::SourceMap;
/// x
#[derive(Debug, Default)]
pub struct Catalogues { locales: Vec<String> }
impl Catalogues {
    /// x
    pub fn load(_s: &mut SourceMap, _d: &std::path::Path) -> (Self, Vec<Diagnostic>) { (Self::default(), vec![]) }
    /// x
    pub fn locales(&self) -> &[String] { &self.locales }
    /// x
    pub fn text(&self, english: &str) -> Text { Text::from_iter([("en-US".to_owned(), english.to_owned())]) }
}
