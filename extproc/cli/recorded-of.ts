import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { IndexReplace, IndexSearch } from '../index/port.ts';
import { loadJournalKey } from '../journal/key.ts';
import { nodeFileSystem } from '../journal/node-fs.ts';
import { journalDirectory, journalsIn } from '../journal/places.ts';
import { type JournalReader, openJournalReader } from '../journal/reader.ts';
import { keyedHashWith } from '../keyed-hash.ts';
import type { Masker } from '../masking/masker.ts';
import { detectionOf } from '../masking/own-detection.ts';
import { compilePolicies } from '../policy/compile.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import type { RecordInput } from '../policy/input.ts';
import { ArchivedExchanges, ExchangesOf } from '../remask/archived-exchanges.ts';
import { JournalExchanges } from '../remask/journal-exchanges.ts';
import { openKeeper } from '../remask/keeper.ts';
import type { MaskAgainParts } from '../remask/mask-again.ts';
import type { MaskMetadataParts } from '../remask/mask-metadata.ts';
import { nameFinderOf } from '../remask/name-finder.ts';
import type { RecordedExchanges } from '../remask/recorded-exchanges.ts';
import type { RemaskParts } from '../remask/remask.ts';
import { ErasedPersons } from '../retention/erasures.ts';
import { resolveTool } from '../tools/resolve.ts';
import { archiveOf } from './archive-of.ts';
import { openIndexOf, openMemoryOf, openReplaceOf } from './index-of.ts';

/** What is recorded, and all that is needed to mask it again as shipping does; must be closed. */
export type Recorded = {
  parts: Omit<MaskAgainParts & MaskMetadataParts, 'masker'> & {
    masker: Pick<Masker, 'json'>;
    recorded: RecordedExchanges;
    index: Pick<IndexSearch, 'search' | 'get'>;
  };
  close(): Promise<void>;
};

export type RecordedDependencies = {
  /** To look alone; with the policies of another directory where one is given. */
  openRecorded(policiesDirectory: string | undefined): Promise<Recorded>;
  /** To put something in the place of what the index has. */
  openRemask(): Promise<Recorded & { replace: IndexReplace; tokenKeeper: RemaskParts['tokenKeeper'] }>;
};

/** Raw bytes stand in the journals of this node, and in its archive. */
export function recordedOf(config: () => Config, masker: () => Masker): RecordedDependencies {
  return {
    openRecorded: (policiesDirectory) => open(config(), masker, 'reading', policiesDirectory),
    async openRemask() {
      await using opened = new AsyncDisposableStack();
      const recorded = await open(config(), masker, 'writing', undefined);
      opened.defer(() => recorded.close());
      const replace = await openReplaceOf(config());
      opened.defer(() => replace.close());
      const { dataDirectory, reveal } = config();
      const tokenKeeper = await openKeeper({ dataDirectory, reveal: reveal.keptDays === 0 ? null : reveal });
      opened.defer(() => tokenKeeper?.close());
      const all = opened.move();
      return { parts: recorded.parts, replace, tokenKeeper, close: () => all.disposeAsync() };
    },
  };
}

async function open(
  config: Config,
  masker: () => Masker,
  purpose: 'reading' | 'writing',
  policiesDirectory = config.policies.directory,
): Promise<Recorded> {
  await using opened = new AsyncDisposableStack();
  const { parts: documents } = await documentPartsOf(config, masker, policiesDirectory);
  const erased = new ErasedPersons(config.dataDirectory);
  await erased.refresh();
  const sources = (await journalsOf(config)).map(({ source }) => source);
  const journals = new JournalExchanges(sources, ({ started, startedMs }) => erased.has(started.identity, startedMs));
  // Where there is no master key, as before the first start with one, there is only the journal to read.
  const recorded = new ExchangesOf([journals, new ArchivedExchanges(archiveOf(config))]);
  opened.defer(() => recorded.close());
  const index = await openIndexOf(config);
  opened.defer(() => index.close());
  const memory = openMemoryOf(config, purpose);
  opened.defer(() => memory.close());
  const parts: Recorded['parts'] = { ...documents, recorded, index, memory };
  const all = opened.move();
  return { parts, close: () => all.disposeAsync() };
}

/** What documents are made with, by the policies of a directory; `rules` is their revision. */
export async function documentPartsOf(
  config: Config,
  masker: () => Masker,
  policiesDirectory = config.policies.directory,
): Promise<{ parts: Omit<Recorded['parts'], 'recorded' | 'index' | 'memory'>; rules: string }> {
  const { dataDirectory, limits, index: indexed, masking } = config;
  const opa = await resolveTool('opa', { env: process.env });
  const bundle = await compilePolicies({ opaBinary: opa.path, directory: policiesDirectory });
  const engine = await createPolicyEngine(bundle);
  const detection = detectionOf(bundle.detectors);
  const parts = {
    masker: masker(),
    policy: {
      record: (input: RecordInput) => ({ ...engine.record(input), revision: engine.revision }),
      unjudgedPrivacy: engine.unjudgedPrivacy,
      revision: engine.revision,
    },
    detection: () => detection,
    keyedHash: keyedHashWith(readFileSync(join(dataDirectory, 'keys', 'hash.key'))),
    textMaxChars: indexed.textMaxChars,
    maskingBudgetMs: masking.exchangeBudgetMs,
    names: nameFinderOf(masking.names),
    decoding: { decodedBodyMaxBytes: limits.decodedBodyMaxBytes, decodedRatioMax: limits.decodedRatioMax },
  };
  return { parts, rules: bundle.revision };
}

/** All journals of this node, to read beside whoever writes them; each must be closed. */
export async function journalsOf({
  dataDirectory,
  journal,
}: Config): Promise<{ source: JournalReader; number: number }[]> {
  const key = await loadJournalKey(journal.keyFile);
  const numbers = await journalsIn(dataDirectory);
  return numbers.map((number) => {
    const directory = journalDirectory(dataDirectory, number);
    return { source: openJournalReader({ directory, fileSystem: nodeFileSystem, key }), number };
  });
}
