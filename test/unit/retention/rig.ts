/** Every store of a data directory with a clock of the test's own, and exchanges to put into all of them. */
import { createSecretKey } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Archive } from '../../../extproc/archive/archive.ts';
import { Retirement } from '../../../extproc/archive/retire.ts';
import { newSigningKey } from '../../../extproc/archive/signing.ts';
import { verifyArchive } from '../../../extproc/archive/verify.ts';
import { removeRejectsOf } from '../../../extproc/index/sqlite/rejects-retention.ts';
import { SqliteRetention } from '../../../extproc/index/sqlite/retention.ts';
import { indexFile } from '../../../extproc/index/sqlite/schema.ts';
import { SqliteSearch } from '../../../extproc/index/sqlite/search.ts';
import { SqliteIndex } from '../../../extproc/index/sqlite/writer.ts';
import type { FileSystem } from '../../../extproc/journal/fs.ts';
import { erasePerson, keyIdsOfPerson } from '../../../extproc/keys/erase.ts';
import { nodeKeyFiles } from '../../../extproc/keys/files.ts';
import { prepareKeys } from '../../../extproc/keys/prepare.ts';
import { decodeSealedKey } from '../../../extproc/keys/sealed-key.ts';
import { type KeySealer, openSealer } from '../../../extproc/keys/sealer.ts';
import { type EraseParts, Pending } from '../../../extproc/retention/erase.ts';
import { dayOfFamily, isMetadataFamily } from '../../../extproc/retention/families.ts';
import { Holds } from '../../../extproc/retention/holds.ts';
import type { PersonName } from '../../../extproc/retention/parts.ts';
import type { Disk, PlannedFamily } from '../../../extproc/retention/plan.ts';
import { Receipts } from '../../../extproc/retention/receipts.ts';
import type { ClassDays } from '../../../extproc/retention/rules.ts';
import { planNow, sweep } from '../../../extproc/retention/sweep.ts';
import { RevealRetention } from '../../../extproc/reveal/retention.ts';
import { sealValue } from '../../../extproc/reveal/sealed-value.ts';
import { RevealStore } from '../../../extproc/reveal/store.ts';
import { reducedDocument } from '../../../extproc/transcript/reduced-document.ts';
import { documentOf } from '../../builders/document.ts';
import { exchangeIdOf, exchangeOf } from '../archive/rig.ts';

/** A year of days has thousands of syncs, which are not what is tested here. */
const memoryDisk = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export const dayMs = 86_400_000;
export const issuer = 'https://login.example.org';
export const ada: PersonName = { issuer, subject: 'u-ada' };
export const eve: PersonName = { issuer, subject: 'u-eve' };
export const asked = { by: 'ops (uid 1000)', reason: 'the daily job' };

export type Recorded = {
  number: number;
  atMs: number;
  retentionClass?: string;
  person?: PersonName;
  pseudonym?: string;
  session?: string;
  input?: string;
  isRefusedByIndex?: boolean;
};

export class RetentionRig {
  nowMs: number;
  disk: Disk | null = null;
  /** Set: the index cannot be opened, for that reason. */
  indexAway: string | null = null;
  /** As if the journals had let go of everything. */
  oldestInJournalsMs = Number.POSITIVE_INFINITY;
  readonly dataDirectory: string;
  readonly fileSystem: FileSystem;
  readonly key = newSigningKey();
  readonly archiveDirectory: string;
  readonly archive: Archive;
  readonly index: SqliteIndex;
  readonly search: SqliteSearch;
  readonly reveal: RevealStore;
  readonly sealer: KeySealer;
  parts: EraseParts;
  #offset = 0;
  readonly #ids = new Map<number, string>();
  #indexRetention: SqliteRetention | undefined;
  #revealRetention: RevealRetention | undefined;

  private constructor(dataDirectory: string, fileSystem: FileSystem, startMs: number, sealer: KeySealer) {
    this.nowMs = startMs;
    this.dataDirectory = dataDirectory;
    this.fileSystem = fileSystem;
    this.sealer = sealer;
    this.archiveDirectory = join(dataDirectory, 'archive');
    this.archive = new Archive({
      ...{ directory: this.archiveDirectory, fileSystem, key: this.key, sealer, segmentMaxBytes: 1024 * 1024 },
      ...{ checkpointIntervalMs: 0, nowMs: () => this.nowMs, findEnd: async () => null, sinks: [] },
      ...{ onRecovered: () => {}, onSinkFailed: () => {} },
    });
    this.index = SqliteIndex.open(dataDirectory);
    this.search = SqliteSearch.open(dataDirectory);
    this.reveal = RevealStore.open(dataDirectory, 64 * 1024 * 1024);
    this.parts = undefined as unknown as EraseParts;
  }

  static async open(
    t: TestContext,
    setting: {
      startMs: number;
      fileSystem: FileSystem;
      classes?: Record<string, ClassDays>;
      contentFloorDays?: number;
    },
  ): Promise<RetentionRig> {
    const opened: RetentionRig[] = [];
    // Before the directory goes.
    t.after(async () => {
      for (const one of opened) await one.#close();
    });
    const dataDirectory = mkdtempSync(join(memoryDisk, 'skilltape-test-'));
    t.after(() => rmSync(dataDirectory, { recursive: true, force: true }));
    await prepareKeys(dataDirectory);
    const sealer = await openSealer({ dataDirectory });
    const rig = new RetentionRig(dataDirectory, setting.fileSystem, setting.startMs, sealer);
    opened.push(rig);
    await rig.reopen(setting);
    return rig;
  }

  async #close(): Promise<void> {
    await this.#indexRetention?.close();
    this.#revealRetention?.close();
    await this.archive.close();
    await this.index.close();
    await this.search.close();
    this.reveal.close();
  }

  /** As the next command finds it on disk. */
  async reopen({
    classes = {},
    contentFloorDays = 7,
  }: {
    classes?: Record<string, ClassDays>;
    contentFloorDays?: number;
  } = {}) {
    const { dataDirectory, fileSystem, key } = this;
    const nowMs = () => this.nowMs;
    const directory = join(dataDirectory, 'retention');
    const log = { directory, fileSystem, key };
    const idsOf = ({ subject }: PersonName) => [subject, `p-${subject.toUpperCase()}`];
    this.parts = {
      archive: new Retirement({
        ...{ directory: this.archiveDirectory, fileSystem, key, nowMs },
        ownerOf: (sealed) => decodeSealedKey(sealed).person,
      }),
      openIndex: async () => {
        if (this.indexAway !== null) throw new Error(this.indexAway);
        return SqliteRetention.open(dataDirectory);
      },
      openReveal: () => RevealRetention.open(dataDirectory),
      holds: await Holds.open({ ...log, nowMs }),
      receipts: await Receipts.open(log),
      disk: () => this.disk,
      rules: {
        classes: new Map(Object.entries(classes)),
        byDefault: { contentDays: 30, metadataDays: 365 },
        ...{ diskBudgetPercent: 70, contentFloorDays },
      },
      ...{ idsOf, nowMs, directory, files: nodeKeyFiles },
      keys: {
        keyIds: (person) => keyIdsOfPerson({ dataDirectory, person }),
        erase: async (person) => {
          const erased = await erasePerson({ dataDirectory, person });
          return erased.kind === 'erased' ? erased.keys : 0;
        },
      },
      oldestInJournalsMs: async () => this.oldestInJournalsMs,
      removeRejects: (person, before) =>
        removeRejectsOf(indexFile(dataDirectory), { issuer: person.issuer, ids: idsOf(person) }, before),
    };
  }

  /** In all stores, as shipping would. */
  async record(...all: Recorded[]): Promise<void> {
    for (const { number, atMs, retentionClass = 'standard', person = ada, ...told } of all) {
      const { pseudonym, session, input, isRefusedByIndex = false } = told;
      this.#offset += 1_000;
      const place = { journal: 1, segment: 1, offset: this.#offset };
      const exchangeId = exchangeIdOf(number, atMs);
      const document = documentOf({
        ...{ id: exchangeId, time: new Date(atMs).toISOString(), session: session ?? 'session-1' },
        ...{ user: { id: pseudonym ?? person.subject, domain: person.issuer }, input: input ?? `words ${number}` },
        skilltape: { retention_class: retentionClass },
      });
      const metadata = [reducedDocument(document)];
      const finishedMs = atMs + 1_000;
      await this.archive.archive([exchangeOf(number, { finishedMs, retentionClass, person, place, metadata })]);
      this.#ids.set(number, exchangeId);
      if (isRefusedByIndex) continue;
      await this.index.deliver([document]);
      const { key, sealed } = await this.sealer.sealedKeyFor(person, retentionClass, `context ${number}`);
      const value = sealValue(createSecretKey(key), 0, session ?? 'session-1', `[EMAIL:${number}]`, 'ada@example.org');
      const rows = [{ session: session ?? 'session-1', token: `[EMAIL:${number}]`, counter: 0, value }];
      const pair = decodeSealedKey(sealed).keyId;
      this.reveal.add([{ context: `context ${number}`, sealedKey: sealed, pair, retentionClass, rows }], atMs);
    }
  }

  plan() {
    return planNow(this.parts);
  }

  sweep() {
    return sweep(this.parts, asked, new Pending(this.parts));
  }

  erase(person: PersonName) {
    return new Pending(this.parts).erase(person, { by: 'ops', reason: 'asked for it' });
  }

  async verify() {
    const { archiveDirectory: directory, fileSystem, key } = this;
    return verifyArchive({ directory, fileSystem, publicKeys: [key.publicKey], outside: new Map() });
  }

  /** Of exchanges. */
  async families(): Promise<string[]> {
    return namesOf(await this.parts.archive.families(), false);
  }

  async metadataFamilies(): Promise<string[]> {
    return namesOf(await this.parts.archive.families(), true);
  }

  async heldFamilies(): Promise<string[]> {
    return namesOf(await this.parts.archive.heldFamilies(), false);
  }

  async heldMetadataFamilies(): Promise<string[]> {
    return namesOf(await this.parts.archive.heldFamilies(), true);
  }

  idOf(number: number): string {
    return this.#ids.get(number) ?? '';
  }

  /** Opened once: a year of days asks for it. */
  indexDays() {
    this.#indexRetention ??= SqliteRetention.open(this.dataDirectory);
    return this.#indexRetention.days();
  }

  revealDays() {
    this.#revealRetention ??= RevealRetention.open(this.dataDirectory);
    return this.#revealRetention.days();
  }
}

export function namesOf(families: readonly PlannedFamily[], areOfMetadata: boolean): string[] {
  return families
    .filter((family) => isMetadataFamily(family) === areOfMetadata)
    .map(dayOfFamily)
    .map(({ retentionClass, day }) => `${retentionClass} ${day}`)
    .sort();
}
