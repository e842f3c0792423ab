import { work } from './work.js';
import { getArguments } from 'wasi:cli/environment@0.2.10';
export const run = {
  run() {
    const args = getArguments();
    console.log('arguments:', args.slice(1).join(','));
    console.log(JSON.stringify(work(60000), null, 1));
  }
};
