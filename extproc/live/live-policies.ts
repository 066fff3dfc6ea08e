/** Keeps the saved policies in force: what is saved is tried, and only what passes everything takes the old one's place. */
import { SkilltapeError } from '../errors.ts';
import type { CheckedPolicies } from '../policy/check.ts';
import type { PolicySources } from '../policy/sources.ts';
import type { Fingerprint } from './fingerprint.ts';
import { watchFiles } from './watch.ts';

/** What live edit does with what was saved. */
export type LivePorts = {
  look(): Promise<Fingerprint>;
  /** A check will follow: what takes a while to begin can be begun. Must not throw. */
  prepare?(): void;
  read(): Promise<PolicySources>;
  /** @throws SkilltapeError `policy_invalid` with one fault a line */
  check(sources: PolicySources): Promise<CheckedPolicies>;
  /** Keeps what is about to be in force where auditors find it; on disk when it resolves. */
  keep(checked: CheckedPolicies): Promise<void>;
  /** Puts it in force everywhere. */
  use(checked: CheckedPolicies): Promise<void>;
};

/** What came of a change: once for each. `tookMs` is from the moment when the files were still. */
export type EditOutcome =
  | { kind: 'in_force'; revision: string; previous: string; tookMs: number }
  /** The files say again what is in force. */
  | { kind: 'unchanged'; revision: string }
  | { kind: 'refused'; revision: string; fault: SkilltapeError };

export type LiveOptions = {
  directory: string;
  settleMs: number;
  pollIntervalMs: number;
  /** In force already. `fingerprint` is of before its files were read; null where other files than those are in force. */
  inForce: string;
  fingerprint: Fingerprint | null;
  onOutcome(outcome: EditOutcome): void;
};

/** Readings that files changed under are begun again, but not for ever. */
const readingsMax = 20;

/** Follows the directory until it is closed. */
export function followPolicies(ports: LivePorts, options: LiveOptions): { close(): Promise<void> } {
  let { inForce } = options;
  const edited = async (): Promise<EditOutcome> => {
    const startMs = performance.now();
    try {
      const checked = await ports.check(await readStill(ports));
      const { revision } = checked.bundle;
      if (revision === inForce) return { kind: 'unchanged', revision };
      await ports.keep(checked);
      await ports.use(checked);
      const previous = inForce;
      inForce = revision;
      return { kind: 'in_force', revision, previous, tookMs: performance.now() - startMs };
    } catch (thrown) {
      return { kind: 'refused', revision: inForce, fault: SkilltapeError.from(thrown) };
    }
  };
  return watchFiles(options.fingerprint ?? { value: 'not read yet', folders: [] }, {
    look: ports.look,
    directory: options.directory,
    settleMs: options.settleMs,
    pollIntervalMs: options.pollIntervalMs,
    onChange: () => ports.prepare?.(),
    async onSettled() {
      options.onOutcome(await edited());
    },
  });
}

/** Files of one moment: none of them changed while they were read. */
async function readStill({ look, read }: LivePorts): Promise<PolicySources> {
  for (let reading = 0; reading < readingsMax; reading += 1) {
    const before = await look();
    const sources = await read().catch((thrown: unknown) => SkilltapeError.from(thrown));
    if ((await look()).value !== before.value) continue;
    if (sources instanceof SkilltapeError) throw sources;
    return sources;
  }
  throw new SkilltapeError('policy_invalid', 'the policy files change all the time and cannot be read', {
    remedy: 'Let nothing write to the policy directory but what is meant to be in force.',
  });
}
