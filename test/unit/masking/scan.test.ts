import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Candidate, Rank } from '../../../extproc/masking/finding.ts';
import { resolveOverlaps } from '../../../extproc/masking/overlap.ts';
import { scan } from '../../../extproc/masking/scan.ts';
import { fill } from './fill.ts';

const anthropicKey = fill('sk-ant-api03-<w93>AA');
const githubToken = fill('ghp_<a36>');

function covers(text: string, secret: string): boolean {
  const at = text.indexOf(secret);
  return scan(text).some((finding) => finding.start <= at && finding.end >= at + secret.length);
}

test('a token whose prefix words end with too is found behind escapes of any kind, and not inside a word', () => {
  const token = fill('sk_live_<a24>');
  for (const before of ['', ' ', '=', '\\n', '\\x1b[31m', '\u001b[1;32m', '%0A', '%20', '\\u000a', '\\t']) {
    assert.equal(scan(`${before}${token} after`)[0]?.type, 'SECRET', JSON.stringify(before));
  }
  assert.deepEqual(scan(`ta${token} after`), []);
});

test('a vendor token is found at every offset of a text, inside words too', () => {
  const text = 'Please deploy (now!) "the" worker; then call\nme back, e.g. `npm run x` at 10:30 or 2024-01-15.';
  for (let at = 0; at <= text.length; at++) {
    for (const secret of [anthropicKey, githubToken]) {
      assert.ok(covers(text.slice(0, at) + secret + text.slice(at), secret), `offset ${at}`);
    }
  }
});

test('personal data is found between any punctuation', () => {
  for (const value of ['jane@example.com', '4111 1111 1111 1111', '123-45-6789', '+49 151 12345678', '10.1.2.3']) {
    for (const around of [' ', '"', "'", '(', ',', ';', '|', '<', '=', '\n', '\t', '`', '*', '\\n', ': ', '/']) {
      assert.ok(covers(`x${around}${value}${around}y`, value), `${JSON.stringify(around)} around ${value}`);
    }
  }
});

test('a run that goes on past the length a rule asks for is masked to its end', () => {
  const text = `key ${githubToken}${'Zz9'.repeat(200)} end`;
  const [finding] = scan(text);
  assert.equal(text.slice(finding?.end), ' end');
});

test('base64 that holds a secret is masked as a whole run, wrapped lines included', () => {
  const inside = `the admin is jane@example.com and the key is ${githubToken}, keep it safe`;
  const run = Buffer.from(inside).toString('base64');
  assert.deepEqual(scan(`data:${run};`), [
    { type: 'SECRET', rule: 'base64/github', start: 5, end: 5 + run.length, score: 0.98 },
  ]);
  const wrapped = run.replace(/.{64}/g, '$&\n');
  assert.ok(covers(wrapped, wrapped));
  const shifted = `xy${run}`;
  assert.ok(covers(shifted, shifted));
});

test('base64 without a secret, hashes and binary data stay', () => {
  const bytes = Uint8Array.from({ length: 4000 }, (_, i) => (i * 7919 + i * i * 31) & 255);
  assert.deepEqual(scan(Buffer.from(bytes).toString('base64')), []);
  assert.deepEqual(scan(Buffer.from('nothing to see here, only a long sentence of words').toString('base64')), []);
});

test('a disguise far into a long text maps back to the right place', () => {
  const head = 'word \u2014 '.repeat(500);
  const text = `${head}j\u200ban\u00ade@example.com and ${head}`;
  const [finding, ...rest] = scan(text);
  assert.deepEqual(rest, []);
  assert.equal(text.slice(finding?.start, finding?.end), 'j\u200ban\u00ade@example.com');
});

function candidate(rank: Rank, start: number, end: number): Candidate {
  return { type: 'SECRET', rule: `${rank}-${start}-${end}`, rank, start, end, score: 1 };
}

test('of overlapping findings rank wins, then length, then place, and all they cover stays covered', () => {
  const resolve = (...all: Candidate[]) => resolveOverlaps(all).map(({ rule, start, end }) => ({ rule, start, end }));
  assert.deepEqual(resolve(candidate('weak', 0, 50), candidate('secret', 40, 60)), [
    { rule: 'secret-40-60', start: 0, end: 60 },
  ]);
  assert.deepEqual(resolve(candidate('validated', 5, 9), candidate('assignment', 0, 6), candidate('weak', 20, 30)), [
    { rule: 'assignment-0-6', start: 0, end: 9 },
    { rule: 'weak-20-30', start: 20, end: 30 },
  ]);
  assert.deepEqual(resolve(candidate('weak', 3, 8), candidate('weak', 0, 7)), [{ rule: 'weak-0-7', start: 0, end: 8 }]);
  assert.deepEqual(resolve(candidate('weak', 0, 5), candidate('weak', 2, 7)), [{ rule: 'weak-0-5', start: 0, end: 7 }]);
  assert.equal(resolve(candidate('weak', 0, 5), candidate('weak', 5, 7)).length, 2);
});

test('hostile runs come to an end and hide nothing that follows them', () => {
  const units = [
    'a',
    '@',
    'a@',
    'a@a.',
    '1',
    '1 ',
    '11 ',
    '1.',
    '123-',
    '-----BEGIN ',
    '-----BEGIN PRIVATE KEY-----',
    'sk-',
    'ghp_',
    '://',
    '://a:',
    'eyJ',
    'eyJ.',
    ':',
    '1::',
    'a:',
    'password=',
    'token:"',
    '%41',
    '\u200b',
    '\uff11',
    '\ud835',
    '\\',
    '"',
    '{"a":',
    'DE44',
    'Bearer ',
    'SG.',
    '=',
  ];
  for (const unit of units) {
    const text = `${unit.repeat(200_000 / unit.length)}\n\n ${anthropicKey} `;
    assert.ok(covers(text, anthropicKey), `after ${JSON.stringify(unit)}`);
  }
});

test('a short text that was no number while numbers could be looked up is masked when they cannot be any more', () => {
  const text = '(000) 000-0000';
  assert.deepEqual(scan(text), []);
  assert.equal(scan(text, '', { phoneChecks: 0 })[0]?.type, 'PHONE');
});
