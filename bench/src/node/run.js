// Runs the program argv[2] once for each byte on standard input, as the task argv[3] says, and answers with milliseconds
// of processor time: between its calls of `bench.start` and `bench.end`, or all of it if it does not bracket its work.
const fs = require("fs");
const { WASI } = require("node:wasi");
const module_ = new WebAssembly.Module(fs.readFileSync(process.argv[2]));
const task = JSON.parse(process.argv[3]);
const stderr = fs.openSync("/dev/null", "w");

const ask = Buffer.alloc(1);
while (fs.readSync(0, ask, 0, 1) === 1) {
  const stdin = fs.openSync(task.stdin, "r");
  const stdout = fs.openSync(task.stdout, "w");
  let answer;
  try {
    const wasi = new WASI({
      version: "preview1",
      args: task.args,
      preopens: Object.fromEntries(task.folders.map(([host, guest]) => [guest, host])),
      stdin,
      stdout,
      stderr,
      returnOnExit: true,
    });
    let start, taken;
    const bench = {
      start() { start = process.cpuUsage(); },
      end() { taken = process.cpuUsage(start); },
    };
    const imports = { wasi_snapshot_preview1: wasi.wasiImport, bench };
    // Some want functions that they call only if they are asked to.
    for (const { module: from, name } of WebAssembly.Module.imports(module_)) (imports[from] ??= {})[name] ??= () => 0;
    const instance = new WebAssembly.Instance(module_, imports);
    if (!task.brackets) bench.start();
    const code = wasi.start(instance);
    if (!task.brackets) bench.end();
    answer = code === 0 ? (taken.user + taken.system) / 1e3 : `exit code ${code}`;
  } catch (error) {
    answer = error;
  }
  for (const file of [stdin, stdout]) {
    try {
      fs.closeSync(file);
    } catch {
      // Some programs close what they were given.
    }
  }
  gc();
  fs.writeSync(1, `${answer}\n`);
}
