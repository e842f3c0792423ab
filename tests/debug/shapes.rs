//! A guest in Rust for debuggers. `shapes.wasm` is made of it by
//!
//! ```sh
//! rustc --edition 2024 --crate-type lib --emit obj --target wasm32-unknown-unknown -g -C opt-level=0 \
//!     -C overflow-checks=off -C debug-assertions=off -C codegen-units=1 -C panic=abort \
//!     --remap-path-prefix "$PWD=." -o shapes.o shapes.rs
//! wasm-ld --no-entry --export=run -o shapes.wasm shapes.o
//! ```
#![no_std]

#[derive(Clone, Copy)]
pub struct Point {
    x: i32,
    y: i32,
}

pub enum Shape {
    Dot(Point),
    Square { corner: Point, size: u32 },
}

#[inline(never)]
fn area(shape: &Shape, scale: u32) -> u32 {
    match shape {
        Shape::Dot(point) => point.x as u32,
        Shape::Square { corner, size } => {
            let moved = (corner.x + corner.y) as u32;
            let side = *size * scale;
            side * side + moved
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn run(n: i32) -> u32 {
    let origin = Point { x: 1, y: n };
    let shapes = [Shape::Dot(origin), Shape::Square { corner: origin, size: 5 }];
    let mut total = 0;
    for shape in &shapes {
        total += area(shape, 2);
    }
    total
}
