/**
 * What is left of erased persons: one file for each erasure, numbered, each with the hash of the one before it, so that
 * one that was taken out or changed is seen. None has a name in it: the person is a keyed hash.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { hex, invalid, jsonOf } from './key-file.ts';
import { keyIdBytes } from './pair-file.ts';
import type { KeyStore } from './pairs.ts';
import { personNameBytes } from './person.ts';

/** Pairs of one person: classes, and older pairs that restores brought back. */
export const erasedKeysMax = 512;
const fileMaxBytes = 65_536;
const triesMax = 100;
const noneBefore = '0'.repeat(64);

const tombstone = z.strictObject({
  version: z.literal(1),
  sequence: z.int().positive(),
  erasedMs: z.int().nonnegative(),
  persons: z.array(hex(personNameBytes)).min(1).max(64),
  keyIds: z.array(hex(keyIdBytes)).min(1).max(erasedKeysMax),
  /** SHA-256 of the file before; zeros in the first. */
  previous: hex(32),
});

export type Tombstone = z.output<typeof tombstone>;

/** `head`: SHA-256 of the last one. Kept elsewhere, it shows when later ones were taken away. */
export type Tombstones = {
  entries: readonly Tombstone[];
  head: string;
  files: readonly Buffer[];
  /** When each key was erased, in milliseconds. */
  erasedMs: ReadonlyMap<string, number>;
};

const noTombstones: Tombstones = { entries: [], head: noneBefore, files: [], erasedMs: new Map() };

/** @throws SkilltapeError `key_invalid` naming the one at which the chain breaks */
export function readTombstones(files: readonly Buffer[], where: string, from: Tombstones = noTombstones): Tombstones {
  const entries = [...from.entries];
  let { head } = from;
  for (const bytes of files) {
    const read = tombstone.safeParse(jsonOf(bytes));
    const sequence = entries.length + 1;
    if (!read.success || read.data.sequence !== sequence || read.data.previous !== head) {
      throw invalid(
        `tombstone ${sequence} in ${where} is missing, damaged or not the one that was written`,
        'Put back the copy that was kept elsewhere; until then nobody can say who was erased.',
      );
    }
    entries.push(read.data);
    head = hashOf(bytes);
  }
  const erasedMs = new Map(entries.flatMap((entry) => entry.keyIds.map((keyId) => [keyId, entry.erasedMs] as const)));
  return { entries, head, files: [...from.files, ...files], erasedMs };
}

/** Reads those of this directory; a second call reads only what is new. */
export function tombstonesOf({ places, files }: KeyStore): () => Promise<Tombstones> {
  let last = noTombstones;
  return async () => {
    const names = await files.list(places.erased);
    // Calls run beside each other: each goes on from what was there when it began.
    const known = names.length < last.entries.length ? noTombstones : last;
    const added: Buffer[] = [];
    for (let sequence = known.entries.length + 1; sequence <= names.length; sequence++) {
      const found = await files.read(join(places.erased, fileName(sequence)), fileMaxBytes);
      added.push(found?.bytes ?? Buffer.alloc(0));
    }
    if (added.length === 0) return known;
    last = readTombstones(added, places.erased, known);
    return last;
  };
}

/** Durable on return. */
export async function addTombstone(
  store: KeyStore,
  erased: Pick<Tombstone, 'erasedMs' | 'persons' | 'keyIds'>,
): Promise<{ sequence: number; head: string }> {
  const load = tombstonesOf(store);
  for (let tries = 0; tries < triesMax; tries++) {
    const { entries, head } = await load();
    const sequence = entries.length + 1;
    const bytes = Buffer.from(`${JSON.stringify({ version: 1, sequence, ...erased, previous: head })}\n`);
    if (await store.files.create(join(store.places.erased, fileName(sequence)), bytes)) {
      return { sequence, head: hashOf(bytes) };
    }
  }
  throw invalid(`no tombstone could be written to ${store.places.erased}`, 'Others erase at the same time; try again.');
}

/** Puts tombstones there that go on where those of this directory end. */
export async function continueTombstones({ places, files }: KeyStore, own: Tombstones, all: Tombstones): Promise<void> {
  for (let at = own.files.length; at < all.files.length; at++) {
    await files.create(join(places.erased, fileName(at + 1)), all.files[at] ?? Buffer.alloc(0));
  }
}

function fileName(sequence: number): string {
  return `${String(sequence).padStart(10, '0')}.json`;
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
