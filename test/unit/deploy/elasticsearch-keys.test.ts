import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** The API keys that an operator makes by deploy/elasticsearch/README.md may do what the roles there may, and no more. */

const folder = fileURLToPath(new URL('../../../deploy/elasticsearch', import.meta.url));
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const roles = parse(read('roles.yml')) as Record<string, { cluster?: string[]; indices?: object[] }>;

for (const name of readdirSync(folder).filter((file) => file.endsWith('-key.json'))) {
  test(`${name} gives exactly its role, and the page of the folder tells what it is for`, () => {
    const part = name.slice(0, -'-key.json'.length);
    const key = JSON.parse(read(name)) as { name: string; role_descriptors: object };
    const role = `skilltape_${part}`;
    assert.equal(key.name, `skilltape-${part}`);
    assert.deepEqual(key.role_descriptors, { [role]: roles[role] ?? assert.fail(`no role ${role}`) });
    assert.match(read('README.md'), new RegExp(`\\b${part}(-key\\.json)?\\b`));
  });
}

test('the key of the one command that may change templates ends by itself', () => {
  assert.equal((JSON.parse(read('setup-key.json')) as { expiration?: string }).expiration, '1h');
});
