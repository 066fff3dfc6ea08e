import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { endpointOf } from '../../../extproc/claude/endpoint.ts';

type Call = { method: string; path: string };

function rootOf(packageName: string): string {
  return dirname(fileURLToPath(import.meta.resolve(packageName)));
}

/** The calls that an SDK's source makes, each identifier in a path as `id_1`. */
function callsIn(packageName: string): Call[] {
  const root = rootOf(packageName);
  const files = ['resources', 'lib', 'helpers'].flatMap((folder) => globSync(`${folder}/**/*.mjs`, { cwd: root }));
  const calls = [...files, 'client.mjs'].flatMap((file) => {
    const source = readFileSync(join(root, file), 'utf8').replaceAll(/^\s*\*.*$/gm, '');
    const found = source.matchAll(/\.(get|post|put|patch|delete|getAPIList)\(\s*(?:path\s*)?['`](\/[^'`]+)['`]/g);
    return [...found].map(([, verb = '', template = '']) => ({
      method: verb === 'getAPIList' ? 'GET' : verb.toUpperCase(),
      path: pathOf(template),
    }));
  });
  return calls.filter(({ path }) => path.startsWith('/'));
}

function pathOf(template: string): string {
  return template.replaceAll(/\$\{[^}]*\}|\{[^}]*\}/g, 'id_1').replace(/\?.*$/, '');
}

/** Every text in an SDK that is a path of the API, also those that no call names (a template for tracing, a constant). */
function pathsIn(packageName: string): string[] {
  const root = rootOf(packageName);
  const files = globSync('**/*.mjs', { cwd: root }).map((file) => readFileSync(join(root, file), 'utf8'));
  const found = files.flatMap((source) => [
    ...source.replaceAll(/^\s*(?:\*|\/\/).*$/gm, '').matchAll(/['`](\/(?:v1|api)\/[^'`\s]*)['`]/g),
  ]);
  return [...new Set(found.map(([, template = '']) => pathOf(template)))];
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

for (const packageName of ['@anthropic-ai/sdk', 'anthropic-sdk-0']) {
  test(`every call of ${packageName} is to an endpoint with a name and a treatment`, () => {
    const calls = callsIn(packageName);
    assert.ok(calls.length > 60, String(calls.length));
    const missing = calls.filter(({ method, path }) => endpointOf(method, path).treatment === 'unknown');
    assert.deepEqual(missing, []);
  });

  test(`every path in ${packageName} is one of a known endpoint`, () => {
    const paths = pathsIn(packageName);
    assert.ok(paths.length > 40, String(paths.length));
    const missing = paths.filter((path) => methods.every((method) => endpointOf(method, path).name === 'unknown'));
    assert.deepEqual(missing, []);
  });
}
