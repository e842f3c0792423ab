function queens(n, row, cols, up, down) {
  if (row === n) return 1;
  let found = 0, free = ~(cols | up | down) & ((1 << n) - 1);
  while (free) {
    const bit = free & -free;
    free ^= bit;
    found += queens(n, row + 1, cols | bit, (up | bit) << 1, (down | bit) >> 1);
  }
  return found;
}
class Point {
  constructor(x, y) { this.x = x; this.y = y; }
  plus(other) { return new Point(this.x + other.x, this.y + other.y); }
}
const words = new Map();
for (let i = 0; i < 20000; i++) {
  const word = "w" + ((i * 7919) % 3001);
  words.set(word, (words.get(word) ?? 0) + word.length);
}
let sum = new Point(0, 0);
for (let i = 0; i < 20000; i++) sum = sum.plus(new Point(i % 7, i / 3));
const sorted = [...words.keys()].sort();
const text = JSON.stringify({ sorted: sorted.slice(0, 500), n: [1.5, 2.25, -3e10], nested: { a: [null, true] } });
`${queens(7, 0, 0, 0, 0)} ${sum.x} ${Math.round(sum.y)} ${sorted[1500]} ${JSON.parse(text).sorted.length} ${text.replace(/w(\d)/g, "$1v").length}`;
