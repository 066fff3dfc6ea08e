import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { kibanaOptions } from '../../../extproc/kibana/options.ts';

function isUsageFault(about: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SkilltapeError);
    assert.equal(error.code, 'usage');
    assert.ok(error.message.includes(about));
    assert.notEqual(error.remedy ?? '', '');
    return true;
  };
}

test('a prefix is what the configuration takes as one', () => {
  assert.deepEqual(kibanaOptions({ prefix: 'tape_2' }), { prefix: 'tape_2', consoleUrl: null });
  for (const prefix of ['', 'Tape', '2tape', 'tape-test', 'tape*', `t${'a'.repeat(63)}`, 'tape\n']) {
    assert.throws(() => kibanaOptions({ prefix }), isUsageFault('--prefix'), prefix);
  }
});

test('the address of the console loses its slashes at the end, and braces in it are no template', () => {
  const of = (consoleUrl: string) => kibanaOptions({ prefix: 'tape', consoleUrl }).consoleUrl;
  assert.equal(of('https://skilltape.example.com/'), 'https://skilltape.example.com');
  assert.equal(of('https://example.com/console//'), 'https://example.com/console');
  assert.equal(of('https://example.com/{{value}}'), 'https://example.com/%7B%7Bvalue%7D%7D');
  assert.equal(of('http://localhost:8080'), 'http://localhost:8080');
});

test('an address that is no plain https one is refused', () => {
  const wrong = [
    '',
    'skilltape',
    'http://example.com',
    'javascript:alert(1)',
    'ftp://example.com',
    'https://a:b@c.example',
  ];
  for (const consoleUrl of [
    ...wrong,
    'https://c.example/?a',
    'https://c.example/#',
    `https://c.example/${'a'.repeat(2048)}`,
  ]) {
    assert.throws(() => kibanaOptions({ prefix: 'tape', consoleUrl }), isUsageFault('--console-url'), consoleUrl);
  }
});
