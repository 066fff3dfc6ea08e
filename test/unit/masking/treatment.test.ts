import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FindingType, findingTypes } from '../../../extproc/masking/finding.ts';
import { Masker } from '../../../extproc/masking/masker.ts';
import { treatmentFor, usualTypes } from '../../../extproc/masking/treatment.ts';
import { fill } from './fill.ts';

const masker = new Masker({ key: new Uint8Array(32).fill(1) });
const githubToken = fill('ghp_<a36>');
const noTokens = { plain: new Set<FindingType>(), scopes: new Map<FindingType, string>() };

function without(...off: FindingType[]) {
  return treatmentFor(new Set([...usualTypes].filter((type) => !off.includes(type))), noTokens);
}

function masked(text: string, treatment: ReturnType<typeof without>, key = 'text'): string {
  return String((masker.json({ [key]: text }, { scope: 's', treatment }).value as Record<string, string>)[key]);
}

const samples: readonly [FindingType, string][] = [
  ['EMAIL', 'jane@example.com'],
  ['CARD', '4111 1111 1111 1111'],
  ['IBAN', 'DE89 3704 0044 0532 0130 00'],
  ['PHONE', '+49 30 901820'],
  ['SSN', 'SSN 219-09-9999'],
  ['IP', '203.0.113.77'],
  ['MAC', '00:1B:44:11:3A:B7'],
  ['BIRTH_DATE', 'born 1981-04-23'],
  ['SECRET', githubToken],
];

test('a type that is off stays as it is, and all others are masked', () => {
  const text = samples.map(([, sample]) => sample).join(' ; ');
  for (const [type, sample] of samples) {
    const value = masked(text, without(type));
    assert.ok(value.includes(sample), `${type}: ${value}`);
    for (const [other, hidden] of samples) if (other !== type) assert.ok(!value.includes(hidden), `${type} ${other}`);
  }
});

test('a type that is off takes nothing with it that is on', () => {
  const within = `postgres://jane@example.com:${githubToken}@203.0.113.77/db`;
  for (const off of ['EMAIL', 'IP', 'URL'] as const) {
    assert.ok(!masked(within, without(off)).includes(githubToken), off);
    assert.ok(
      !masked(Buffer.from(`mail jane@example.com ${within}`).toString('base64'), without(off)).includes('amFuZ'),
    );
  }
});

test('what an off type covers is masked where it is of a type that is on', () => {
  assert.match(masked('203.0.113.77@example.com wrote', without('EMAIL')), /^\[IP:.{16}\]@example.com wrote$/);
  const encoded = Buffer.from('mail jane@example.com from the host 203.0.113.77').toString('base64');
  assert.match(masked(encoded, without('EMAIL')), /^\[IP:.{16}\]$/);
  assert.equal(masked(encoded, without('EMAIL', 'IP')), encoded);
});

test('whatever stands together, what is on is never readable because something else is off', () => {
  const glue = fc.constantFrom(' ', '', ';', '/', ':', '@', '=', '"', '\n', '%20', '&');
  const pieces = fc.array(fc.tuple(fc.constantFrom(...samples), glue), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(pieces, fc.constantFrom(...samples), (parts, [off]) => {
      const text = parts.map(([[, sample], between]) => sample + between).join('');
      const usual = masked(text, without());
      const value = masked(text, without(off));
      for (const [type, sample] of samples) {
        // What the usual treatment does not see in such company is not this test's matter, nor what two types cover.
        if (type !== off && text.includes(sample) && !usual.includes(sample)) {
          const alone = !usual.includes(`[${off}`);
          if (alone || type === 'SECRET') assert.ok(!value.includes(sample), `${text} -> ${value}`);
        }
      }
    }),
  );
});

test('a key that tells of a secret hides its value unless secrets are off', () => {
  for (const value of ['hunter22', 12345678] as const) {
    const read = (treatment: ReturnType<typeof without>) =>
      JSON.stringify(masker.json({ password: value }, { scope: 's', treatment }).value);
    assert.match(read(without('EMAIL')), /^\{"password":"\[SECRET:.{16}\]"\}$/);
    assert.equal(read(without('SECRET')), JSON.stringify({ password: value }));
  }
});

test('a number that is a card is masked although secrets are off', () => {
  const { value } = masker.json({ password: 4111111111111111 }, { scope: 's', treatment: without('SECRET') });
  assert.deepEqual(value, { password: '[CARD]' });
});

test('URLs are masked where they are asked for', () => {
  const text = 'see https://example.com/path?a=1 there';
  assert.equal(masked(text, without()), text);
  const asked = treatmentFor(new Set(findingTypes), noTokens);
  assert.match(masked(text, asked), /^see \[URL:.{16}\] there$/);
});

test('a plain type has no hash, and a second masking changes nothing', () => {
  const treatment = treatmentFor(usualTypes, { ...noTokens, plain: new Set(['EMAIL', 'SECRET']) });
  const once = masked(`jane@example.com ${githubToken} 203.0.113.77`, treatment);
  assert.match(once, /^\[EMAIL\] \[SECRET\] \[IP:.{16}\]$/);
  assert.equal(masked(once, treatment), once);
});

test('a type with a scope of its own has the same token in all calls of that scope, the others only in their own', () => {
  const treatment = treatmentFor(usualTypes, { ...noTokens, scopes: new Map([['EMAIL', '["all"]']] as const) });
  const in_ = (scope: string) =>
    String((masker.json({ a: 'jane@example.com 203.0.113.77' }, { scope, treatment }).value as { a: string }).a);
  const [first, second] = [in_('s-1'), in_('s-2')];
  assert.equal(first.split(' ')[0], second.split(' ')[0]);
  assert.notEqual(first.split(' ')[1], second.split(' ')[1]);
  assert.notEqual(first.split(' ')[0], masker.text('jane@example.com', 's-1').value);
});

test('types with few values have no hash, whatever scope is asked for', () => {
  const scopes = new Map(findingTypes.map((type) => [type, '["all"]'] as const));
  const treatment = treatmentFor(usualTypes, { ...noTokens, scopes });
  assert.equal(masked('SSN 219-09-9999, 4111 1111 1111 1111, +49 30 901820', treatment), 'SSN [SSN], [CARD], [PHONE]');
});

test('another treatment holds for a part and for nothing behind it, also when it fails there', () => {
  const value = { a: 'jane@example.com', b: { c: 'jane@example.com' }, d: 'jane@example.com' };
  const inB = without('EMAIL');
  const { value: read } = masker.json(value, { scope: 's', treatmentAt: ([step]) => (step === 'b' ? inB : undefined) });
  const { a, b, d } = read as typeof value;
  assert.deepEqual([b.c, a.startsWith('[EMAIL:'), d], ['jane@example.com', true, a]);
});

test('findings are counted by place where the caller names places', () => {
  const value = { a: 'jane@example.com', b: ['joe@example.com', 'ann@example.com 203.0.113.77'], 'z@example.com': 1 };
  const { findings } = masker.json(value, { scope: 's', placeOf: ([step]) => (step === 'b' ? 'tools' : 'other') });
  assert.deepEqual(findings, [
    { type: 'EMAIL', place: 'other', count: 2 },
    { type: 'EMAIL', place: 'tools', count: 2 },
    { type: 'IP', place: 'tools', count: 1 },
  ]);
});
