//! The search for the highest load: its answer, and what every look has shown.

use std::fmt::Write as _;

use super::text::escape;
use crate::report::bench::search::LoadSearch;

/// The section; nothing where nothing was looked for.
pub(super) fn section(search: Option<&LoadSearch>) -> String {
    let Some(search) = search else {
        return String::new();
    };
    let mut section = format!(
        "<h2>The highest load</h2><p class=\"lead\"><strong>{}</strong></p>\
         <div class=\"card scroll\"><table><thead><tr><th>Load</th>",
        escape(&search.answer())
    );
    for head in search.heads() {
        let _ = write!(section, "<th>{}</th>", escape(&head));
    }
    section += "<th class=\"text\">Why</th></tr></thead><tbody>";
    for look in &search.looks {
        let _ = write!(section, "<tr><td>{}</td>", escape(&search.sought.load(look.load)));
        for cell in search.cells(look) {
            let _ = write!(section, "<td>{}</td>", escape(&cell));
        }
        let _ = write!(
            section,
            "<td class=\"text wrap\">{}</td></tr>",
            escape(&look.why())
        );
    }
    section += "</tbody></table></div>";
    if search.has_low_n() {
        section += "<p class=\"hint\">* of too few requests to be more than a hint.</p>";
    }
    section
}
