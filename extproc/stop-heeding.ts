import type { Config } from './config/config.ts';
import { RunningExchanges } from './exchange/running.ts';
import type { Log } from './log.ts';
import { stopsFile } from './stops/places.ts';
import { StopWatch } from './stops/watch.ts';

/** The open exchanges of a process, which end when an operator stops them. Throws when what is stopped cannot be read. */
export function heedStops({ config, log }: { config: Config; log: Log }) {
  const running = new RunningExchanges();
  const onFault = (err: unknown) => log.error({ err }, 'what operators stop cannot be read');
  const watch = new StopWatch({ file: stopsFile(config.dataDirectory), running, onFault });
  return { running, close: () => watch.close() };
}
