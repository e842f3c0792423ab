// Runs the program argv[2] once for each byte on standard input, in the folder argv[3], its standard output in the file
// argv[4], and answers with the milliseconds of processor time between its calls of `bench.start` and `bench.end`.
const fs = require("fs");
const { WASI } = require("node:wasi");
const module_ = new WebAssembly.Module(fs.readFileSync(process.argv[2]));
const stderr = fs.openSync("/dev/null", "w");

const ask = Buffer.alloc(1);
while (fs.readSync(0, ask, 0, 1) === 1) {
  const stdout = fs.openSync(process.argv[4], "w");
  let answer;
  try {
    const wasi = new WASI({
      version: "preview1",
      args: ["benchmark.wasm"],
      preopens: { ".": process.argv[3] },
      stdout,
      stderr,
      returnOnExit: true,
    });
    let start, taken;
    const bench = {
      start() { start = process.cpuUsage(); },
      end() { taken = process.cpuUsage(start); },
    };
    const instance = new WebAssembly.Instance(module_, { wasi_snapshot_preview1: wasi.wasiImport, bench });
    const code = wasi.start(instance);
    answer = code === 0 ? (taken.user + taken.system) / 1e3 : `exit code ${code}`;
  } catch (error) {
    answer = error;
  }
  fs.closeSync(stdout);
  gc();
  fs.writeSync(1, `${answer}\n`);
}
