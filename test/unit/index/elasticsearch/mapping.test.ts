import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexTemplate, mappedField } from '../../../../extproc/index/elasticsearch/mapping.ts';
import { preparedOf } from '../../../../extproc/index/elasticsearch/prepared.ts';
import { documentOf } from '../../../builders/document.ts';
import { sampleDocument } from '../../../builders/sample.ts';

/** What is kept and shown but never looked into. */
const opaque = ['system', 'tools', 'new_messages', 'answer', 'error'].map((name) => `skilltape.${name}`);

/** Every leaf of a document with its value; arrays stand for what is in them. */
function* leavesOf(value: unknown, path: string): Generator<{ path: string; value: unknown }> {
  if (opaque.includes(path)) yield { path, value };
  else if (Array.isArray(value)) for (const item of value) yield* leavesOf(item, path);
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) yield* leavesOf(inner, path === '' ? key : `${path}.${key}`);
  else yield { path, value };
}

function sentForm(document: ReturnType<typeof documentOf>): unknown {
  return JSON.parse(preparedOf(document, 'skilltape').lines.split('\n')[1] ?? '');
}

const typesByKind: Record<string, readonly string[]> = {
  number: ['long'],
  boolean: ['boolean'],
  string: ['keyword', 'text', 'date', 'ip'],
};

/** A sample with something in every field. */
function wholeSample(): ReturnType<typeof documentOf> {
  const sample = sampleDocument();
  return { ...sample, gen_ai: { ...sample.gen_ai, tool: { name: ['bash'] } } };
}

test('every field of a document is mapped with a type that fits it, or kept out of the index on purpose', () => {
  for (const document of [wholeSample(), documentOf()]) {
    for (const { path, value } of leavesOf(sentForm(document), '')) {
      const field = mappedField(path);
      if (value === null && field === undefined) {
        assert.ok(hasMappedChild(path), `${path} is null here and has no field below it`);
        continue;
      }
      assert.ok(field !== undefined, `${path} is not mapped`);
      if (opaque.includes(path)) assert.deepEqual(field, { type: 'object', enabled: false }, path);
      else if (value !== null) assert.ok(typesByKind[typeof value]?.includes(field.type), `${path}: ${field.type}`);
    }
  }
});

/** `user`, `skilltape.batch` and `skilltape.billed` are null where there is none. */
function hasMappedChild(path: string): boolean {
  return ['user.id', 'skilltape.batch.id', 'skilltape.billed.person'].some((child) => child.startsWith(`${path}.`));
}

test('nothing but the named fields can ever be mapped, and a sample names each of them', () => {
  const seen = new Set([...leavesOf(sentForm(wholeSample()), '')].map(({ path }) => path));
  const walk = (part: unknown, path: string): void => {
    const { properties = {} } = part as { properties?: Record<string, { dynamic?: unknown; type?: string }> };
    for (const [name, property] of Object.entries(properties)) {
      const inner = path === '' ? name : `${path}.${name}`;
      if (property.type === undefined) assert.equal(property.dynamic, false, inner);
      else assert.ok(seen.has(inner), `${inner} is mapped, but no document has it`);
      walk(property, inner);
    }
  };
  const { template } = indexTemplate({ prefix: 'p', numberOfReplicas: 0, refreshIntervalMs: 5_000 }, 'standard') as {
    template: { mappings: { dynamic: unknown } };
  };
  assert.equal(template.mappings.dynamic, false);
  walk(template.mappings, '');
});
