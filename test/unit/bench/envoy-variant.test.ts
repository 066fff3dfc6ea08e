import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { renderEnvoy } from '../../../extproc/envoy/render.ts';
import { envoyVariant } from '../../bench/envoy-variant.ts';
import { envoyPlan } from '../../builders/envoy-plan.ts';

const rendered = renderEnvoy(envoyPlan());
const places = { adminSocket: '/b.sock', accessLogFile: '/b.log', processorSocket: '/b-processor.sock' };

function plain(text: string): unknown {
  return JSON.parse(JSON.stringify(parse(text, { merge: false })));
}

test('with a processor a variant differs from the gateway in its places alone', () => {
  const back = envoyVariant(rendered, { ...places, hasProcessor: true })
    .replaceAll('/b.sock', '/a.sock')
    .replaceAll('/b.log', '/a.log')
    .replaceAll('/b-processor.sock', '/a-processor.sock');
  assert.deepEqual(plain(back), plain(rendered));
});

test('Envoy alone keeps every filter but ext_proc, in order, and so checks the same tokens', () => {
  const filters = (text: string) =>
    [...text.matchAll(/name: (envoy\.filters\.http\.[a-z_]+|skilltape\.[a-z]+)$/gm)].map(([, name]) => name);
  const alone = envoyVariant(rendered, { ...places, hasProcessor: false });
  const kept = filters(rendered).filter(
    (name) => !['envoy.filters.http.ext_proc', 'skilltape.released'].includes(name ?? ''),
  );
  assert.ok(kept.includes('envoy.filters.http.jwt_authn'));
  assert.deepEqual(filters(alone), kept);
  assert.doesNotMatch(alone, /ext_proc\.v3/);
});

test('a configuration without the filter is not taken for one from which it was removed', () => {
  const alone = envoyVariant(rendered, { ...places, hasProcessor: false });
  assert.throws(() => envoyVariant(alone, { ...places, hasProcessor: false }), /not the one/);
});
