// Drives the module argv[2] once for each byte on standard input, as the script in the task argv[3] says, writes the
// checksum to `task.stdout`, and answers with milliseconds of processor time of the script's work.
const fs = require("fs");
const { WASI } = require("node:wasi");
const module_ = new WebAssembly.Module(fs.readFileSync(process.argv[2]));
const task = JSON.parse(process.argv[3]);
const input = fs.readFileSync(task.stdin);

function turn() {
  let memory, table, instance;
  const wasi = new WASI({ version: "preview1", returnOnExit: true });
  const helpers = {
    copy(to, from, length) {
      new Uint8Array(memory.buffer).copyWithin(to, from, from + length);
      return to;
    },
    grow(size) {
      const missing = (size >>> 0) - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / 65536));
      return 1;
    },
    invoke: (index, ...args) => table.get(index)(...args),
    nothing: () => 0,
  };
  const imports = {};
  for (const [from, name, of] of task.imports) {
    imports[from] ??= {};
    const zeros = (of.results ?? []).map((type) => (type === "i64" ? 0n : 0));
    imports[from][name] =
      of.kind === "memory"
        ? new WebAssembly.Memory({ initial: of.minimum, maximum: of.maximum ?? undefined, shared: of.shared })
        : of.kind === "table"
          ? new WebAssembly.Table({ element: "anyfunc", initial: of.minimum })
          : of.kind === "global"
            ? new WebAssembly.Global({ value: of.type }, of.type === "i64" ? 0n : 0)
            : (helpers[of.helper] ??
              (from === "wasi_snapshot_preview1" ? wasi.wasiImport[name] : undefined) ??
              (() => (zeros.length > 1 ? zeros : zeros[0])));
    if (of.kind === "memory") memory = imports[from][name];
  }
  instance = new WebAssembly.Instance(module_, imports);
  const exported = Object.values(instance.exports);
  memory = exported.find((e) => e instanceof WebAssembly.Memory) ?? memory;
  table = exported.find((e) => e instanceof WebAssembly.Table);
  // Some call WASI before anything is initialised, or have nothing to initialise.
  wasi.finalizeBindings?.(instance, { memory });

  const names = {};
  let sum = 0x811c9dc5;
  const add = (bytes) => {
    for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193);
  };
  const value = ([kind, what, plus]) => {
    if (kind === "number") return Number(what);
    if (kind === "wide") return BigInt(what);
    const named = names[what];
    return plus === 0 ? named : typeof named === "bigint" ? named + BigInt(plus) : named + plus;
  };
  const int = (arg) => {
    const given = value(arg);
    return Number(BigInt.asUintN(32, typeof given === "bigint" ? given : BigInt(Math.trunc(given))));
  };
  const view = () => new DataView(memory.buffer);
  const step = ([kind, ...of]) => {
    switch (kind) {
      case "call": {
        const results = instance.exports[of[0]](...of[1].map(value));
        if (of[2].length > 1) of[2].forEach((name, index) => (names[name] = results[index]));
        else if (of[2].length === 1) names[of[2][0]] = results;
        break;
      }
      case "put":
        new Uint8Array(memory.buffer).set(input.subarray(of[1], of[1] + of[2]), int(of[0]));
        break;
      case "let":
        names[of[0]] = value(of[1]);
        break;
      case "load":
        names[of[0]] = view().getInt32(int(of[1]), true);
        break;
      case "store":
        view().setUint32(int(of[0]), int(of[1]), true);
        break;
      case "global":
        names[of[0]] = instance.exports[of[1]].value;
        break;
      case "grow":
        names[of[0]] = memory.grow(of[1]) * 65536;
        break;
      case "sum":
        add(new Uint8Array(memory.buffer, int(of[0]), int(of[1])));
        break;
      case "show": {
        const shown = int(of[0]);
        add([shown & 255, (shown >>> 8) & 255, (shown >>> 16) & 255, shown >>> 24]);
        break;
      }
    }
  };
  task.setup.forEach(step);
  const start = process.cpuUsage();
  for (let i = 0; i < task.times; i++) task.work.forEach(step);
  const { user, system } = process.cpuUsage(start);
  task.check.forEach(step);
  fs.writeFileSync(task.stdout, (sum >>> 0).toString(16).padStart(8, "0"));
  return (user + system) / 1e3;
}

const ask = Buffer.alloc(1);
while (fs.readSync(0, ask, 0, 1) === 1) {
  let answer;
  try {
    answer = turn();
  } catch (error) {
    answer = `${error}`.split("\n")[0];
  }
  gc();
  fs.writeSync(1, `${answer}\n`);
}
