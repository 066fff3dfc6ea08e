import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { schemaFiles, writeSchemas } from '../../../extproc/policy/schemas.ts';
import { policyDirectory } from '../../policy/directory.ts';
import { policiesDirectory } from '../../policy/opa.ts';

/** The documents below a folder by path; how they are laid out does not matter. */
function documentsBelow(directory: string): Record<string, unknown> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(
    paths.map((path) => [path.slice(directory.length + 1), JSON.parse(readFileSync(path, 'utf8'))]),
  );
}

const expected = Object.fromEntries([...schemaFiles()].sort().map(([path, content]) => [path, JSON.parse(content)]));

test('policies/schemas is what the schemas in TypeScript say', () => {
  const found = documentsBelow(join(policiesDirectory, 'schemas'));
  const remedy = 'run: node extproc/policy/schemas.ts && biome check --write policies/schemas';
  assert.deepEqual(Object.keys(found), Object.keys(expected), remedy);
  for (const [path, document] of Object.entries(expected)) assert.deepEqual(found[path], document, remedy);
});

test('the schemas are written as they are given', (t) => {
  const directory = policyDirectory(t, {});
  writeSchemas(directory);
  assert.deepEqual(documentsBelow(directory), expected);
});

test('an object that may be null keeps its fields beside the null', () => {
  const schema = JSON.parse(schemaFiles().get('request/input.json') ?? '');
  assert.deepEqual(schema.properties.claude.type, ['object', 'null']);
  assert.deepEqual(schema.properties.claude.properties.model, { type: 'string' });
  assert.equal(schema.properties.claude.additionalProperties, false);
});
