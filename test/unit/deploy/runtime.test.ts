import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import runtime from '../../../extproc/tools/runtime.json' with { type: 'json' };

test('the image runs skilltape with the same options as the other ways to start it', () => {
  const dockerfile = readFileSync(new URL('../../../Dockerfile', import.meta.url), 'utf8');
  // What is compiled under other options is not used.
  for (const command of [/ENTRYPOINT (\["node".*main\.ts"\])/, /RUN (\["node".*compile\.mjs"\])/]) {
    const [, ...args] = JSON.parse(command.exec(dockerfile)?.[1] ?? '[]') as string[];
    assert.deepEqual(args.slice(0, -1), runtime.arguments);
  }
  const environment = { ...runtime.environment, NODE_COMPILE_CACHE: `/opt/skilltape/${runtime.compiled}` };
  for (const [name, value] of Object.entries(environment)) {
    assert.match(dockerfile, new RegExp(`^ENV (?:.* )?${name}=${value}(?: |$)`, 'm'));
  }
});

test('an image is given what is compiled of every module, and none of them runs for it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'skilltape-compile-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const tools = join(folder, 'extproc/tools');
  mkdirSync(tools, { recursive: true });
  cpSync(new URL('../../../extproc/tools/compile.mjs', import.meta.url), join(tools, 'compile.mjs'));
  const module = "import './other.ts';\nconst name: string = 'it ran';\nconsole.log(name);\n";
  writeFileSync(join(folder, 'extproc/one.ts'), module);
  writeFileSync(join(folder, 'extproc/other.ts'), "console.log('it ran' as string);\n");
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') };
  assert.equal(execFileSync(process.execPath, [join(tools, 'compile.mjs')], { env, encoding: 'utf8' }), '');
  const files = readdirSync(env.NODE_COMPILE_CACHE, { recursive: true, withFileTypes: true });
  // Of each module what is left of it without its types, and its code; and the script itself.
  assert.ok(files.filter((entry) => entry.isFile()).length >= 5, `${files.length} files`);
});
