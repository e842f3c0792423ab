//! Line tables. A module's says which line each of its addresses is of; each piece of machine code gets the line of its
//! operator, in the order of the code, so also what was moved behind the rest of its function.

use crate::places::{Code, Function, in_text};
use gimli::write::{ConvertLineRow, ConvertResult, ConvertUnit, FileId, LineProgram, LineRow};
use gimli::{Encoding, Reader};

/// One row of a module's line table.
#[derive(Clone, Copy)]
struct Line {
    address: u64,
    row: Option<LineRow>,
}

/// Converts the line table of a unit, for all functions that it has lines of.
pub(crate) fn convert<R: Reader<Offset = usize>>(
    unit: &mut ConvertUnit<'_, R>,
    code: &Code,
    encoding: Encoding,
) -> ConvertResult<()> {
    let Some(mut reading) = unit.read_line_program(Some(encoding), None)? else { return Ok(()) };
    let mut lines: Vec<Line> = Vec::new();
    let mut base = 0;
    let mut sequence = Vec::new();
    while let Some(read) = reading.read_row()? {
        match read {
            ConvertLineRow::SetAddress(address) => base = address,
            ConvertLineRow::Row(row) => sequence.push(Line { address: base + row.address_offset, row: Some(row) }),
            ConvertLineRow::EndSequence(offset) => {
                sequence.push(Line { address: base + offset, row: None });
                // Of functions that were left out when the module was linked.
                let live = sequence.first().is_some_and(|first| code.function(first.address).is_some());
                if live {
                    lines.append(&mut sequence);
                }
                sequence.clear();
                base = 0;
            }
        }
    }
    lines.sort_by_key(|line| line.address);
    let (mut program, files) = reading.program();
    for function in &code.functions {
        add(&mut program, code, function, &lines);
    }
    unit.set_line_program(program, files);
    Ok(())
}

/// Adds a sequence for a function, if any line is of it.
fn add(program: &mut LineProgram, code: &Code, function: &Function, lines: &[Line]) {
    let start = code.address(function.body.start);
    let of_address = |address: u64| {
        let behind = lines.partition_point(|line| line.address <= address);
        behind.checked_sub(1).map(|at| (at, lines[at])).filter(|(_, line)| line.address + 5 >= start)
    };
    // What makes the frame is of the line that the function begins with.
    let begin = lines.partition_point(|line| line.address < start.saturating_sub(5));
    let of_function = lines[begin..].iter().take_while(|line| line.address < code.address(function.body.end));
    let first = of_function.enumerate().find_map(|(at, line)| Some((begin + at, line.row?)));
    let Some((at, first)) = first else { return };
    program.begin_sequence(Some(in_text(function.text.start)));
    emit(program, first, 0, true, false);
    // Debuggers take it that the second row is where the frame is made, and let whoever steps in stop there.
    let mut last = Some(at);
    // A line begins with its first code, whichever of its operators that is of: others may have none. What was moved
    // behind the rest of the function is no new beginning.
    let mut latest = last;
    for row in &function.rows {
        let Some((at, Line { row: Some(line), .. })) = of_address(code.address(row.wasm)) else { continue };
        if last != Some(at) {
            let begins = latest.is_none_or(|latest| at > latest);
            latest = latest.max(Some(at));
            emit(
                program,
                line,
                row.text - function.text.start,
                line.is_statement && begins,
                line.prologue_end && begins,
            );
            last = Some(at);
        }
    }
    program.end_sequence((function.text.end - function.text.start).into());
}

fn emit(program: &mut LineProgram, line: LineRow, offset: u32, statement: bool, prologue_end: bool) {
    *program.row() = LineRow {
        address_offset: offset.into(),
        op_index: 0,
        is_statement: statement,
        basic_block: false,
        prologue_end,
        epilogue_begin: false,
        ..line
    };
    program.generate_row();
}

/// Adds a sequence in which each operator is a line of its own: its offset in the module.
pub(crate) fn by_offset(program: &mut LineProgram, file: FileId, function: &Function) {
    program.begin_sequence(Some(in_text(function.text.start)));
    let row = |program: &mut LineProgram, offset: u32, line: u32| {
        program.row().address_offset = offset.into();
        program.row().file = file;
        program.row().line = line.into();
        program.row().is_statement = true;
        program.generate_row();
    };
    row(program, 0, function.body.start);
    let mut last = None;
    for of_operator in &function.rows {
        if last != Some(of_operator.wasm) {
            last = Some(of_operator.wasm);
            row(program, of_operator.text - function.text.start, of_operator.wasm);
        }
    }
    program.end_sequence((function.text.end - function.text.start).into());
}
