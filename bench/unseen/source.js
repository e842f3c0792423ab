import fs, { readFile as read } from "node:fs";
import * as path from 'node:path';
export { a as b, c } from "./other.js";
export default class Bed extends Array {
  #plants = new Map(); static limit = 10_000;
  async *water(litres = 1.5, { only = [], ...rest } = {}) {
    for (const [name, plant] of this.#plants.entries()) {
      if (only.length > 0 && !only.includes(name)) continue;
      yield { name: `${name}: ${plant?.thirst ?? litres ** 2}`, ...rest, [Symbol.iterator]: null };
    }
    const lazy = await import("./lazy.js"), expression = /^[a-z\/\]]+\d{2,}$/giu.test(name);
    label: while (true) { try { if (!lazy) break label; } catch { return; } finally { litres += 1; } }
  }
}
export const { x, y: [z] } = read(path.join(import.meta.dirname, "file.json"), (error, data) => error ? void 0 : JSON.parse(data));
export function pick(object, ...keys) { return keys.map((key) => object[key]).filter((value) => value != null); }
