/**
 * A backup of the keys in one file: lines of JSON, the last one a checksum over the others. It has no master, so it is
 * worth nothing to whoever finds it alone.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { nodeKeyFiles } from './files.ts';
import { hex, invalid, jsonOf } from './key-file.ts';
import { loadMasterPublic } from './master-file.ts';
import { loadNameKeys } from './names.ts';
import type { SealedToMaster } from './opener.ts';
import { decodePairFile, encodePairFile, type PairFile } from './pair-file.ts';
import { allPairs, type KeyStore } from './pairs.ts';
import { keyPlaces } from './places.ts';
import { readTombstones, type Tombstones, tombstonesOf } from './tombstones.ts';
import { recipientOf, sealTo } from './x25519.ts';

/** About half a million pairs. */
export const backupMaxBytes = 256 * 1024 * 1024;
const namesPurpose = 'skilltape name keys v1';

const headLine = z.strictObject({
  format: z.literal('skilltape keys'),
  version: z.literal(1),
  madeMs: z.int().nonnegative(),
  masterId: hex(8),
  /** The keys that name persons' files, sealed to the master. */
  sealedNames: z.base64url(),
});
const endLine = z.strictObject({ sha256: hex(32) });
const tombstoneLine = z.strictObject({ tombstone: z.string() });
const pairLine = z.strictObject({ pair: z.string() });

export type Backup = {
  madeMs: number;
  sealedNames: SealedToMaster;
  tombstones: Tombstones;
  pairs: readonly PairFile[];
};

/** The bytes of a backup, to be kept like a key. @throws SkilltapeError `key_invalid` */
export async function backupKeys(options: {
  dataDirectory: string;
  files?: KeyStore['files'];
  nowMs?: () => number;
}): Promise<{ bytes: Buffer; pairs: number }> {
  const { dataDirectory, files = nodeKeyFiles, nowMs = Date.now } = options;
  const store = { places: keyPlaces(dataDirectory), files };
  const madeMs = nowMs();
  const { id: masterId, publicKey } = await loadMasterPublic(store.places, files);
  const names = Buffer.concat(await loadNameKeys(store.places, files));
  const sealedNames = sealTo(recipientOf(publicKey), names, namesPurpose, headContext(madeMs, masterId));
  const lines = [
    JSON.stringify({
      ...{ format: 'skilltape keys', version: 1, madeMs, masterId },
      sealedNames: sealedNames.toString('base64url'),
    }),
  ];
  // Tombstones last read, first written: a person who is erased meanwhile stays erased.
  let pairs = 0;
  const pairLines: string[] = [];
  for await (const { pair } of allPairs(store)) {
    pairLines.push(JSON.stringify({ pair: encodePairFile(pair).toString('utf8') }));
    pairs += 1;
  }
  for (const bytes of (await tombstonesOf(store)()).files) {
    lines.push(JSON.stringify({ tombstone: bytes.toString('utf8') }));
  }
  const text = `${[...lines, ...pairLines].join('\n')}\n`;
  const bytes = Buffer.from(`${text}${JSON.stringify({ sha256: sha256(text) })}\n`);
  if (bytes.length <= backupMaxBytes) return { bytes, pairs };
  throw invalid(`a backup would have more than ${backupMaxBytes} bytes`, 'Copy the folder of the keys instead.');
}

/** @throws SkilltapeError `key_invalid` */
export function readBackup(bytes: Buffer, name: string): Backup {
  const text = bytes.toString('utf8');
  const endAt = text.lastIndexOf('\n', text.length - 2) + 1;
  const end = endLine.safeParse(jsonOf(bytes.subarray(endAt)));
  if (!end.success || sha256(text.slice(0, endAt)) !== end.data.sha256) {
    throw invalid(
      `${name} is cut short, damaged or no backup of keys`,
      'Take another copy of it, or an earlier backup.',
    );
  }
  const [first = '', ...lines] = text.slice(0, endAt).trimEnd().split('\n');
  const head = headLine.safeParse(jsonOf(Buffer.from(first)));
  if (!head.success) throw invalid(`${name} is no backup of version 1`, 'Use the version of skilltape that made it.');
  const { madeMs, masterId } = head.data;
  const tombstones: Buffer[] = [];
  const pairs: PairFile[] = [];
  for (const line of lines) {
    const read = jsonOf(Buffer.from(line));
    const tombstone = tombstoneLine.safeParse(read);
    if (tombstone.success) tombstones.push(Buffer.from(tombstone.data.tombstone));
    else pairs.push(decodePairFile(name, Buffer.from(pairLine.safeParse(read).data?.pair ?? '')));
  }
  return {
    madeMs,
    sealedNames: {
      masterId,
      sealed: Buffer.from(head.data.sealedNames, 'base64url'),
      purpose: namesPurpose,
      context: headContext(madeMs, masterId),
    },
    tombstones: readTombstones(tombstones, name),
    pairs,
  };
}

function headContext(madeMs: number, masterId: string): Buffer {
  return Buffer.from(`${madeMs} ${masterId}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
