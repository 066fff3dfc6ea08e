import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VolumeWatch } from '../../extproc/volume-watch.ts';

/** A volume that is as full as it is told to be, and a log that is kept. */
function watched(refuseAtPercent = 90) {
  const told: string[] = [];
  const volume = { usedPercent: 0, fault: null as Error | null, asked: 0 };
  const say = (level: string) => (_: unknown, text?: string) => void told.push(`${level}: ${text}`);
  const watch = new VolumeWatch({
    paths: ['/data', '/archive'],
    refuseAtPercent,
    log: { error: say('error'), warn: say('warn'), info: say('info') } as never,
    use: async (path) => {
      volume.asked += 1;
      if (volume.fault !== null) throw volume.fault;
      return { sizeBytes: 1_000, usedBytes: path === '/archive' ? volume.usedPercent * 10 : 0 };
    },
  });
  const at = async (usedPercent: number) => {
    volume.usedPercent = usedPercent;
    await watch.check();
    return [watch.isRefusing, watch.isNearlyFull];
  };
  return { watch, volume, at, told };
}

test('the fullest volume decides: refused from the limit on, and taken again only well below it', async () => {
  const { at, told } = watched();
  const steps = [89.9, 90, 89, 88.1, 90.5, 87.9, 89.9];
  const refusing: (boolean | undefined)[] = [];
  for (const percent of steps) refusing.push((await at(percent))[0]);
  assert.deepEqual(refusing, [false, true, true, true, true, false, false]);
  assert.deepEqual(told, [
    'error: the volume is too full: new requests are refused',
    'info: the volume has room again: requests are taken',
  ]);
});

test('halfway from the limit to a full volume not even refusals are recorded', async () => {
  const { at } = watched();
  assert.deepEqual(await at(94.9), [true, false]);
  assert.deepEqual(await at(95), [true, true]);
  assert.deepEqual(await at(100), [true, true]);
  assert.deepEqual(await at(91), [true, false]);
  assert.deepEqual(await watched(100).at(99.9), [false, false]);
});

test('a volume that does not answer leaves what was known, is told of once, and is not asked again meanwhile', async () => {
  const { watch, volume, at, told } = watched();
  await at(93);
  volume.fault = new Error('stale file handle');
  await watch.check();
  await watch.check();
  assert.equal(watch.isRefusing, true);
  assert.equal(told.filter((line) => line.startsWith('warn')).length, 1);
  volume.fault = null;
  const before = volume.asked;
  await Promise.all([watch.check(), watch.check(), watch.check()]);
  assert.equal(volume.asked - before, 2, 'one look at two paths');
});

test('a volume that does not answer hides no other that is full, and lets no request in by being away', async () => {
  const used = new Map<string, number>([['/archive', 95]]);
  const watch = new VolumeWatch({
    ...{ paths: ['/data', '/archive'], refuseAtPercent: 90 },
    log: { error: () => {}, warn: () => {}, info: () => {} } as never,
    use: async (path) => {
      const usedBytes = used.get(path);
      if (usedBytes === undefined) throw new Error('stale file handle');
      return { sizeBytes: 100, usedBytes };
    },
  });
  await watch.check();
  assert.equal(watch.isRefusing, true);
  used.clear();
  used.set('/data', 10);
  await watch.check();
  assert.equal(watch.isRefusing, true);
  used.set('/archive', 10);
  await watch.check();
  assert.equal(watch.isRefusing, false);
});
