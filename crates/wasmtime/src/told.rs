//! What an engine's configuration tells beside what `Engine` has methods for: its `Debug` output has every setting that
//! was made of those that code depends on, and of the engine's own compiler.
//!
//! The form of that output is nobody's promise. So what is read here is only believed where something else confirms it:
//! a table of costs by loading an artifact that names it, and what is refused by its name alone.

use wasmtime::{Config, OperatorCost};

/// The fields of a configuration, as it shows them.
pub(crate) struct Told {
    /// Names and values.
    fields: Vec<(String, String)>,
}

impl Told {
    pub(crate) fn of(config: &Config) -> Told {
        Told { fields: fields(&format!("{config:?}")) }
    }

    /// What is shown of a setting. Of those that code depends on it is there only if it was made.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What is shown of the engine's own compiler, if it has one.
    pub(crate) fn compiler(&self) -> Option<Told> {
        let shown = self.get("compiler_config")?.strip_prefix("Some(")?.strip_suffix(')')?;
        Some(Told { fields: fields(shown) })
    }

    /// What operators cost, if a table says so.
    pub(crate) fn operator_cost(&self) -> Option<OperatorCost> {
        let shown = self.get("operator_cost")?.strip_prefix("Table(")?.strip_suffix(')')?;
        // A byte each, in the order of the fields, as they are shown.
        let costs = shown.split([' ', ',']).filter_map(|word| word.parse::<u8>().ok());
        let costs: OperatorCost = postcard::from_bytes(&costs.collect::<Vec<u8>>()).ok()?;
        (format!("{costs:?}") == shown).then_some(costs)
    }
}

/// The fields of a structure that is shown as `Name { field: value, … }`.
fn fields(shown: &str) -> Vec<(String, String)> {
    let Some((_, inner)) = shown.split_once('{') else { return Vec::new() };
    let inner = inner.trim().strip_suffix('}').unwrap_or(inner);
    let mut fields = Vec::new();
    let mut rest = inner.trim();
    while let Some((name, behind)) = rest.split_once(": ") {
        let end = value_end(behind);
        fields.push((name.trim().to_owned(), behind[..end].trim().to_owned()));
        rest = behind[end..].trim_start_matches([',', ' ']);
    }
    fields
}

/// Where a value that is shown ends: at a comma that is in no bracket and no string, or at the end.
fn value_end(shown: &str) -> usize {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut escaped = false;
    for (at, char) in shown.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return at,
            _ => {}
        }
    }
    shown.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_out_of_what_is_shown() {
        let mut config = Config::new();
        let mut costs = OperatorCost::new();
        (costs.I32Add, costs.Nop, costs.variable.memory_grow_per_page) = (9, 3, 200);
        config.memory_reservation(77).operator_cost(costs.clone());
        let told = Told::of(&config);
        assert_eq!(told.get("memory_reservation"), Some("77"));
        assert_eq!(told.get("memory_guard_size"), None);
        assert_eq!(told.get("parallel_compilation"), Some("true"));
        assert_eq!(told.operator_cost(), Some(costs));
        assert_eq!(Told::of(&Config::new()).operator_cost(), None);
    }

    #[test]
    fn values_may_have_commas_and_brackets() {
        let told = Told { fields: fields(r#"C { a: Some("x, }\" y"), b: [1, 2], c: D { e: (3, 4) }, f: None }"#) };
        let all: Vec<&str> = ["a", "b", "c", "f", "g"].iter().filter_map(|name| told.get(name)).collect();
        assert_eq!(all, [r#"Some("x, }\" y")"#, "[1, 2]", "D { e: (3, 4) }", "None"]);
    }
}
