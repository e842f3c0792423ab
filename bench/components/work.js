// Work in about the mix of an ordinary script: closures, strings, regular expressions, JSON, maps, sorting, BigInt, typed arrays, generators.
export function work(n) {
  const words = new Map();
  for (let i = 0; i < n; i++) {
    const word = 'w' + ((i * 7919) % 3001);
    words.set(word, (words.get(word) ?? 0) + word.length);
  }
  const sorted = [...words.entries()].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, 5);
  const text = sorted.map(([w, c]) => `${w}=${c}`).join('; ').replace(/w(\d+)=(\d+)/g, (_, a, b) => `[${b}:${a}]`);
  const sieve = new Uint8Array(20000).fill(1);
  for (let i = 2; i * i < sieve.length; i++) if (sieve[i]) for (let j = i * i; j < sieve.length; j += i) sieve[j] = 0;
  const primes = sieve.reduce((a, b) => a + b, 0) - 2;
  let big = 1n;
  for (let i = 1n; i <= 60n; i++) big *= i;
  function* fib() { let [a, b] = [0, 1]; for (;;) { yield a; [a, b] = [b, a + b]; } }
  let last = 0;
  for (const f of fib()) { if (f > 1e9) break; last = f; }
  const floats = Array.from({ length: 50 }, (_, i) => Math.sin(i) * Math.sqrt(i)).reduce((a, b) => a + b);
  const copy = JSON.parse(JSON.stringify({ text, primes, nested: { list: sorted, ok: true, none: null } }));
  let caught = 'nothing';
  try { null.x; } catch (error) { caught = error.constructor.name; }
  return { ...copy, big: big.toString(), last, floats: floats.toFixed(9), caught, utf: [...'grüße 🦀'].length };
}
