import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chromiumPath, withoutChromium } from './chromium.ts';

test('what CHROMIUM_BIN names is taken, also where there is another one', () => {
  assert.equal(chromiumPath({ CHROMIUM_BIN: '/opt/chromium', PATH: '/usr/bin' }), '/opt/chromium');
});

test('tests without a browser are skipped with a remedy, and never in CI', () => {
  const nowhere = { PATH: '/nowhere' };
  // On a machine that has one where Debian puts it, nothing is skipped at all.
  if (chromiumPath(nowhere) === null)
    assert.match(String(withoutChromium(nowhere)), /install the Debian package chromium/);
  assert.equal(withoutChromium({ ...nowhere, CI: 'true' }), null);
});
