//! What operators cost: one unit of fuel each or nothing, as their lines say, or what the host's table has for them.

use crate::operators::reader::Reader;
use crate::operators::{LINES, Op};
use crate::treaty::facts::{Costs, Facts, Work};

impl Costs {
    /// A table out of what each operator costs, by the name that wasmparser has for it, and what work does for each
    /// byte, page or element.
    pub fn new(of_operator: impl Fn(&str) -> u8, of_work: impl Fn(Work) -> u8) -> Costs {
        let mut operators = vec![0; Op::COUNT].into_boxed_slice();
        for (op, line) in LINES {
            operators[op.index()] = of_operator(line.name);
        }
        Costs { operators, work: Work::ALL.map(of_work) }
    }
}

impl Facts {
    /// Units that the operator ahead costs.
    pub(crate) fn cost_of_next(&self, reader: &Reader<'_>) -> u32 {
        match &self.costs {
            None => u32::from(!reader.peek_op().effects().free),
            Some(costs) => {
                let mut ahead = *reader;
                u32::from(costs.operators[ahead.operator().index()])
            }
        }
    }

    /// Units for each byte, page or element of this work.
    #[must_use]
    pub fn cost_of(&self, work: Work) -> u64 {
        u64::from(self.costs.as_ref().map_or(work.usual(), |costs| costs.work[work as usize]))
    }
}
