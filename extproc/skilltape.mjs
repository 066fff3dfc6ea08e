#!/usr/bin/env node
// The command `skilltape`, under whatever Node the caller has: bootstrap.mjs finds the right one for main.ts.
process.argv.splice(2, 0, 'extproc/main.ts');
await import('./bootstrap.mjs');
