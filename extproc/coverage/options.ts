/** Section `coverage` of the configuration where a log is followed; the names of the connections stand for routes. */
export type CoverageOptions = {
  accessLogFile: string;
  lagMaxMs: number;
  lineMaxBytes: number;
  linesWaitingMax: number;
  gapsKeptMax: number;
  recordsPerMinute: number;
  connections: readonly string[];
};
