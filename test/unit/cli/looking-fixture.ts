import type { Command } from 'commander';
import type { LookingDependencies, OpenIndex } from '../../../extproc/cli/looking.ts';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { SqliteSearch } from '../../../extproc/index/sqlite/search.ts';
import { SqliteIndex } from '../../../extproc/index/sqlite/writer.ts';
import type { Look, RecordedLook } from '../../../extproc/looks/look-log.ts';
import type { FindingType } from '../../../extproc/masking/finding.ts';
import { documentOf, maskedText } from '../../builders/document.ts';

/** What one run of a command did to the world. */
export type Run = {
  out: string;
  error: string;
  exitCode: number;
  looks: RecordedLook[];
  opened: number;
  closed: number;
};

export class CommandRunner {
  readonly #directory: string;
  readonly #failingLookLog: boolean;

  constructor(directory: string, options: { failingLookLog?: boolean } = {}) {
    this.#directory = directory;
    this.#failingLookLog = options.failingLookLog ?? false;
  }

  async fill(documents: NonNullable<Parameters<typeof documentOf>[0]>[]): Promise<void> {
    const index = SqliteIndex.open(this.#directory);
    await index.deliver(documents.map((document) => documentOf(document)));
    await index.close();
  }

  /** Runs the command with a masker that knows one e-mail address, over the index of the directory. */
  async run(make: (dependencies: LookingDependencies) => Command, args: string[], run: Run = newRun()): Promise<Run> {
    const exited = Symbol('exited');
    const dependencies: LookingDependencies = {
      openIndex: () => this.#openIndex(run),
      lookLog: { record: (look) => this.#record(run, look), list: () => run.looks.toReversed() },
      operator: { osUser: 'ada', uid: 1000 },
      maskQuery: (text) => maskedText(text.replaceAll('eve@example.org', '[EMAIL:1]')),
      ownTypes: () => ['TICKET' as FindingType],
      write: (text) => {
        run.out += text;
      },
      writeError: (text) => {
        run.error += text;
      },
      setExitCode: (code) => {
        run.exitCode = code;
      },
      exit: (code) => {
        run.exitCode = code;
        throw exited;
      },
      color: false,
      width: 100,
      now: () => new Date('2026-01-20T12:00:00Z'),
    };
    try {
      await make(dependencies).parseAsync(args, { from: 'user' });
    } catch (thrown) {
      if (thrown !== exited) throw thrown;
    }
    return run;
  }

  async #openIndex(run: Run): Promise<OpenIndex> {
    run.opened += 1;
    const search = SqliteSearch.open(this.#directory);
    return {
      search: (query) => search.search(query),
      get: (id) => search.get(id),
      session: (id) => search.session(id),
      usage: (query) => search.usage(query),
      close: async () => {
        run.closed += 1;
        await search.close();
      },
    };
  }

  #record(run: Run, look: Look): void {
    if (this.#failingLookLog) throw new SkilltapeError('internal', 'this look could not be recorded');
    run.looks.push({ ...look, number: run.looks.length + 1, time: '2026-01-20T12:00:00.000Z' });
  }
}

export function newRun(): Run {
  return { out: '', error: '', exitCode: 0, looks: [], opened: 0, closed: 0 };
}
