import type { ChildOptions } from './child.ts';

/** What fetching a tool gives: the finished file, or why there is none. */
export type FetchResult = { kind: 'made'; path: string } | { kind: 'failed'; why: string };

/**
 * What fetching a tool works with.
 * @property platform `<platform>-<arch>`, for the checksum of what is fetched
 * @property heartbeat lines with the elapsed time while a child runs
 */
export type FetchContext = {
  env: NodeJS.ProcessEnv;
  platform: string;
  progress: (line: string) => void;
  heartbeat: (doing: string) => NonNullable<ChildOptions['heartbeat']>;
};
