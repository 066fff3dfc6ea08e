import type { Gateway, Manager } from '../model.ts';
import { processorClusters, recordedOf, releasingOf } from '../recorded.ts';
import type { Fault, Rule } from '../rule.ts';
import type { Setting } from '../setting.ts';

/** What the comparison of the log with the record cannot do without (docs/coverage.md): field, and the command that gives it. */
const neededFields: Record<string, RegExp> = {
  time: /%START_TIME/,
  status: /%RESPONSE_CODE%/,
  details: /%RESPONSE_CODE_DETAILS%/,
  request_id: /%(STREAM_ID|REQ\(X-REQUEST-ID\))%/i,
  exchange: /%DYNAMIC_METADATA\(skilltape:exchange\)%/,
  verdict: /%DYNAMIC_METADATA\(skilltape:verdict\)%/,
  upstream: /%UPSTREAM_HOST%/,
  source: /%DOWNSTREAM_(REMOTE|DIRECT_REMOTE)_ADDRESS/,
};

/** Traps of the access log, by which it is proven that nothing went past the record. */
export const evidenceRules: readonly Rule[] = [
  {
    id: 'access-log-missing',
    severity: 'critical',
    invariants: [5],
    title: 'Nothing proves that all traffic was recorded',
    why: "Envoy's access log is compared with the record; without it a request that went past the processor is never noticed.",
    find: (gateway) =>
      recordedOf(gateway)
        .filter(({ manager }) => fileLogs(manager).length === 0)
        .map(({ manager }) => ({
          at: manager.config.at('access_log'),
          found: 'there is no access log in a file',
          change: 'access_log of envoy/envoy.yaml',
        })),
  },
  onFileLogs({
    id: 'access-log-incomplete',
    severity: 'critical',
    invariants: [5],
    title: 'The access log cannot be compared',
    why: 'Without status, response code details, exchange, verdict and upstream of each line it cannot be said what was forwarded and not recorded.',
    find: (logger) => {
      const at = logger.at('typed_config', 'log_format');
      const format = at.at('json_format');
      const missing = Object.entries(neededFields).filter(([field, command]) => !command.test(format.at(field).text));
      if (missing.length === 0) return [];
      const found = format.isWritten
        ? `missing: ${missing.map(([field]) => field).join(', ')}`
        : 'it is not written as JSON';
      return [{ at, found, change: 'log_format of envoy/envoy.yaml' }];
    },
  }),
  onFileLogs({
    id: 'access-log-filtered',
    severity: 'critical',
    invariants: [5],
    title: 'The access log leaves requests out',
    why: 'What the filter leaves out cannot be compared with the record.',
    find: (logger) => {
      const at = logger.at('filter');
      return at.isWritten ? [{ at, found: 'the log in a file has a filter', change: 'remove the filter' }] : [];
    },
  }),
  onAnyLog({
    id: 'access-log-has-secrets',
    severity: 'critical',
    invariants: [6],
    title: 'Credentials are written to a log',
    why: 'Tokens of callers are in the clear where everyone reads who looks after logs.',
    find: (texts) =>
      texts
        .filter(({ text }) =>
          /%(REQ|REQUEST_HEADER|TRAILER)\((authorization|x-api-key|cookie|proxy-authorization)/i.test(text),
        )
        .map((at) => ({ at, found: 'a header with credentials is logged', change: 'remove the field' })),
  }),
  onAnyLog({
    id: 'access-log-has-query',
    severity: 'warning',
    invariants: [6],
    title: 'The query of the URL is written to a log',
    why: 'A caller may put a token there, and the refusal of it then leaves the token in the log.',
    find: (texts) =>
      texts
        .filter(({ text }) =>
          /%(REQ\(:PATH|REQ\(X-ENVOY-ORIGINAL-PATH|PATH%|PATH\(WQ|PATH\(\)|QUERY_PARAM)/i.test(text),
        )
        .map((at) => ({ at, found: 'the path is logged with its query', change: '%PATH(NQ):2048%' })),
  }),
  {
    id: 'ends-not-reported',
    severity: 'warning',
    invariants: [4],
    title: 'Who broke an answer off is not known',
    why: 'In ext_proc an upstream that reset and a caller that left look alike; Envoy tells skilltape by a second access logger.',
    find: (gateway) =>
      [...recordedOf(gateway), ...releasingOf(gateway)].flatMap(({ manager }): Fault[] => {
        const places = new Set(processorClusters(gateway).map((cluster) => cluster.at('name').text));
        const at = manager.config.at('access_log');
        const reports = at.items.some((one) =>
          places.has(one.at('typed_config', 'common_config', 'grpc_service', 'envoy_grpc', 'cluster_name').text),
        );
        return reports
          ? []
          : [
              {
                at,
                found: 'no access logger reports to the cluster of skilltape',
                change: 'envoy.access_loggers.http_grpc of envoy/envoy.yaml',
              },
            ];
      }),
  },
];

function fileLogs({ config }: Manager): Setting[] {
  return config
    .at('access_log')
    .items.filter((one) => /^(FileAccessLog|StdoutAccessLog)$/.test(one.at('typed_config').type));
}

function onFileLogs({ find, ...about }: Omit<Rule, 'find'> & { find(logger: Setting): Fault[] }): Rule {
  return {
    ...about,
    // One complete log is enough; others are for other readers.
    find: (gateway) =>
      recordedOf(gateway).flatMap(({ manager }) => {
        const faults = fileLogs(manager).map(find);
        return faults.some(({ length }) => length === 0) ? [] : faults.flat();
      }),
  };
}

function onAnyLog({ find, ...about }: Omit<Rule, 'find'> & { find(texts: Setting[]): Fault[] }): Rule {
  return { ...about, find: (gateway) => find(logTexts(gateway)) };
}

/** Every text in the formats of all access logs. */
function logTexts(gateway: Gateway): Setting[] {
  return recordedOf(gateway).flatMap(({ manager }) => textsIn(manager.config.at('access_log')));
}

function textsIn(setting: Setting): Setting[] {
  if (typeof setting.value === 'string') return [setting];
  return [...setting.items, ...setting.entries.map(([, inner]) => inner)].flatMap(textsIn);
}
