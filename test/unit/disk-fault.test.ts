import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { diskFault } from '../../extproc/disk-fault.ts';
import { openPrivateDatabase } from '../../extproc/index/sqlite/database.ts';
import { nodeFileSystem } from '../../extproc/journal/node-fs.ts';
import { temporaryDirectory } from '../builders/directory.ts';

function systemError(fields: Record<string, unknown>): Error {
  return Object.assign(new Error('as the system says it'), fields);
}

for (const [code, reason] of [
  ['ENOSPC', /no space left/],
  ['EDQUOT', /quota/],
  ['EROFS', /read-only/],
  ['EACCES', /permission denied/],
  ['EIO', /failed to read or write/],
  ['ENOTDIR', /something else is in its place/],
] as const) {
  test(`${code}: what was done to which file, why not, and what to do`, () => {
    const thrown = systemError({ code, syscall: 'write', path: '/data/journal/1.seg' });
    const fault = diskFault(thrown, '/somewhere/else');
    assert.equal(fault?.code, 'disk_failed');
    assert.ok(fault.message.startsWith('cannot write /data/journal/1.seg: '), fault.message);
    assert.match(fault.message, reason);
    assert.ok(fault.message.includes(code));
    assert.ok((fault.remedy ?? '').length > 0);
    assert.equal(fault.cause, thrown);
  });
}

test('what no disk said stays as it was thrown', () => {
  assert.equal(diskFault(systemError({ code: 'ECONNREFUSED', syscall: 'connect' }), '/data'), undefined);
  assert.equal(diskFault(systemError({ code: 'ENOSPC' })), undefined, 'nobody knows where');
  assert.equal(diskFault(new SyntaxError('Unexpected token'), '/data'), undefined);
  assert.equal(diskFault('ENOSPC', '/data'), undefined);
});

test('SQLite has codes of its own, extended ones too', (t) => {
  const file = join(temporaryDirectory(t), 'a.sqlite');
  writeFileSync(file, '');
  const database = new DatabaseSync(file, { readOnly: true });
  t.after(() => database.close());
  assert.throws(
    () => database.exec('create table a (b)'),
    (thrown) => /read-only/.test(diskFault(thrown, file)?.message ?? ''),
  );
  const busySnapshot = systemError({ errcode: 5 | (2 << 8), code: 'ERR_SQLITE_ERROR' });
  assert.equal(diskFault(busySnapshot, file), undefined);
  const ioErrorShmSize = systemError({ errcode: 10 | (19 << 8), code: 'ERR_SQLITE_ERROR' });
  assert.ok(diskFault(ioErrorShmSize, file)?.message.startsWith(`cannot use ${file}: the disk failed`));
});

test('a place where a file is in the way of the index is named, with the remedy', (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'data'), '');
  const file = join(directory, 'data', 'index.sqlite');
  assert.throws(() => openPrivateDatabase(file, 'FULL'), {
    code: 'disk_failed',
    message: /data: something else/,
    remedy: /Move/,
  });
});

test('an error on an open file names the file', async (t) => {
  const path = join(temporaryDirectory(t), 'a directory');
  mkdirSync(path);
  const file = await nodeFileSystem.openRead(path);
  t.after(() => file.close());
  await assert.rejects(file.read(0, 1), { code: 'EISDIR', path, message: new RegExp(`read '${path}'$`) });
});

test('a small file that could not be made leaves nothing behind', async (t) => {
  const directory = temporaryDirectory(t);
  t.mock.method((await import('node:fs')).default, 'fsync', (_descriptor: number, done: (error: Error) => void) =>
    done(systemError({ code: 'ENOSPC', syscall: 'fsync' })),
  );
  const path = join(directory, 'small');
  await assert.rejects(nodeFileSystem.createSmall(path, Buffer.from('a')), { code: 'ENOSPC' });
  assert.deepEqual(readdirSync(directory), []);
});
