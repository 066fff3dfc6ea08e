import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import runtime from '../../../extproc/tools/runtime.json' with { type: 'json' };

test('the image runs skilltape with the same options as the other ways to start it', () => {
  const dockerfile = readFileSync(new URL('../../../Dockerfile', import.meta.url), 'utf8');
  const entrypoint = /ENTRYPOINT (\["node".*main\.ts"\])/.exec(dockerfile)?.[1] ?? '[]';
  const [, ...args] = JSON.parse(entrypoint) as string[];
  assert.deepEqual(args.slice(0, -1), runtime.arguments);
  for (const [name, value] of Object.entries(runtime.environment)) {
    assert.match(dockerfile, new RegExp(`^ENV .*\\b${name}=${value}\\b`, 'm'));
  }
});
