/** A journal on the fake disk, small enough that segments rotate. */
import { type JournalOptions, openJournal } from '../../../extproc/journal/journal.ts';
import type { Position } from '../../../extproc/journal/position.ts';
import { type JournalRecord, openJournalReader } from '../../../extproc/journal/reader.ts';
import type { FakeFileSystem } from '../../fakes/file-system.ts';

export const directory = '/journal';
export const key = new Uint8Array(32).fill(7);

/** Long enough that no background sync comes into a test that does not ask for one. */
const NEVER_MS = 1_000_000;

export function openOn(disk: FakeFileSystem, overrides: Partial<JournalOptions> = {}) {
  return openJournal({
    directory,
    fileSystem: disk,
    key,
    segmentMaxBytes: 512,
    journalMaxBytes: 1_000_000,
    syncIntervalMs: NEVER_MS,
    onPoison: () => {},
    ...overrides,
  });
}

export async function readRecords(disk: FakeFileSystem, from: Position | null = null): Promise<JournalRecord[]> {
  const records: JournalRecord[] = [];
  for await (const record of openJournalReader({ directory, fileSystem: disk, key }).read(from)) records.push(record);
  return records;
}

export async function readTexts(disk: FakeFileSystem, from: Position | null = null): Promise<string[]> {
  return (await readRecords(disk, from)).map(({ payload }) => textOf(payload));
}

export function bytesOf(text: string): Uint8Array[] {
  return [Buffer.from(text)];
}

export function textOf(payload: Uint8Array): string {
  return Buffer.from(payload).toString();
}

export function segmentPath(sequence: number): string {
  return `${directory}/${String(sequence).padStart(16, '0')}.journal`;
}

/** Lets everything that is ready run: promises and the turn of the loop in which the journal writes. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
