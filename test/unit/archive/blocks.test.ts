import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockTables, type KnownChunks } from '../../../extproc/archive/blocks.ts';
import { seededRandom } from '../../fakes/file-system.ts';

const extent = { segment: 1, frame: 0, offset: 0, length: 1 };

test('tables of all persons together stay within their limit, whatever comes and goes; who was met longest ago goes first', () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  const random = seededRandom(seed);
  const max = 200;
  const tables = new BlockTables(max);
  /** The same kept by hand, the one used last at the end. */
  const model = new Map<string, KnownChunks>();
  for (let step = 0; step < 3_000; step += 1) {
    const [family, person] = [`standard/${Math.floor(random() * 3)}`, `p${Math.floor(random() * 12)}`];
    const name = `${family} ${person}`;
    const roll = random();
    if (roll < 0.03) {
      tables.forgetFamily(family);
      for (const known of [...model.keys()]) if (known.startsWith(`${family} `)) model.delete(known);
      continue;
    }
    if (roll < 0.06) model.delete(name);
    const table = roll < 0.06 ? tables.renew(family, person) : tables.of(family, person);
    assert.equal(model.get(name) ?? table, table, `seed ${seed}: ${name} is another table`);
    assert.ok(model.has(name) || table.size === 0, `seed ${seed}: ${name} was forgotten and has something`);
    model.delete(name);
    model.set(name, table);
    for (let chunk = Math.floor(random() * 8); chunk > 0; chunk -= 1) table.add(`${step} ${chunk}`, extent, max);
    tables.trim();
    const total = () => [...model.values()].reduce((sum, { size }) => sum + size + 1, 0);
    for (const known of model.keys()) {
      if (total() <= max || model.size === 1) break;
      model.delete(known);
    }
  }
});
