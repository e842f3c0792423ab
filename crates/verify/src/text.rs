//! A text with the code of any number of modules, and of the component that has them: each is proved by its own facts,
//! what belongs to none by those of the component. What the host finds in tables, and where control comes to by
//! routines that modules share, is then put together.

use crate::facts::{Border, Facts, Tables};
use crate::proof::{Failure, Place, Proof, Reason};
use crate::prover::{Common, Part, Prover, Share, proof};
use std::ops::Range;
use std::sync::Arc;

/// A proof of a text under way.
pub struct TextProver<'a> {
    /// In the order of the modules.
    provers: Vec<Prover<'a>>,
}

/// What was proved of some functions, which may be of several modules.
pub struct TextPart(Vec<(usize, Part)>);

impl<'a> TextProver<'a> {
    /// Begins to prove a text of modules with these facts, all of which have the same types; of a component if the last
    /// ones are those of what belongs to no module.
    ///
    /// # Errors
    /// If the tables contradict themselves or the modules.
    pub fn new(facts: &'a [Facts], text: &'a [u8], tables: &'a Tables) -> Result<TextProver<'a>, Failure> {
        let failure = |reason| Failure { place: Place::Text, offset: 0, reason: Reason(reason) };
        if facts.windows(2).any(|pair| !Arc::ptr_eq(&pair[0].types, &pair[1].types)) {
            return Err(failure("modules that have not the same types"));
        }
        let common = Common::new(facts, text, tables)?;
        let mut borders: Vec<Vec<u32>> = facts.iter().map(|_| Vec::new()).collect();
        let defined = |of: &Facts| of.functions.iter().filter(|function| !function.imported).count() as u32;
        // Behind the last function of each.
        let ends = facts.iter().scan(0, |end, of| {
            *end += defined(of);
            Some(*end)
        });
        let ends: Vec<u32> = ends.collect();
        for (number, (border, _)) in (0..).zip(&tables.borders) {
            let of = match *border {
                Border::ArrayToWasm(function) => ends.partition_point(|end| *end <= function),
                Border::StartupWasm(module) | Border::StartupArray(module) => module as usize,
                _ => facts.len().saturating_sub(1),
            };
            let of = borders.get_mut(of).ok_or_else(|| failure("code of no module"))?;
            of.push(number);
        }
        let mut provers = Vec::with_capacity(facts.len());
        let mut first = 0;
        for (of, borders) in facts.iter().zip(borders) {
            let prover = Prover::of_share(of, &common, Share { first, borders })?;
            first = prover.numbers().end;
            provers.push(prover);
        }
        if first as usize != tables.functions.len() {
            return Err(failure("as many functions as the modules do not have"));
        }
        Ok(TextProver { provers })
    }

    /// Proves some functions, by their numbers among those of all modules.
    ///
    /// # Errors
    /// The first thing that could not be proved.
    pub fn functions(&self, numbers: Range<u32>) -> Result<TextPart, Failure> {
        let mut parts = Vec::new();
        let from = self.provers.partition_point(|prover| prover.numbers().end <= numbers.start);
        for (module, prover) in self.provers.iter().enumerate().skip(from) {
            let own = prover.numbers();
            let (from, to) = (own.start.max(numbers.start), own.end.min(numbers.end));
            if own.start >= numbers.end {
                break;
            }
            if from < to {
                parts.push((module, prover.functions(from - own.start..to - own.start)?));
            }
        }
        Ok(TextPart(parts))
    }

    /// Proves all that is left of one module, or of what belongs to none, which is behind the last; `parts` are what
    /// was proved of its functions.
    ///
    /// # Errors
    /// The first thing that could not be proved.
    fn conclude(&self, module: usize, parts: Vec<Part>) -> Result<Part, Failure> {
        self.provers[module].conclude(parts)
    }

    /// Proves all that is left, and puts the parts together.
    ///
    /// # Errors
    /// The first thing that could not be proved.
    pub fn finish(&self, parts: Vec<TextPart>) -> Result<Proof, Failure> {
        let mut by_module: Vec<Vec<Part>> = self.provers.iter().map(|_| Vec::new()).collect();
        for (module, part) in parts.into_iter().flat_map(|part| part.0) {
            by_module[module].push(part);
        }
        let mut all = Part::default();
        for (module, parts) in by_module.into_iter().enumerate() {
            all.add_proved(self.conclude(module, parts)?);
        }
        Ok(proof(self.provers.first(), all))
    }
}
