import type { Config } from './config/config.ts';
import type { RefusalLimits } from './exchange/counted-refusals.ts';
import type { Connection, ExchangeLimits } from './exchange/ports.ts';

/** Each worker sees the requests that Envoy sends it: together they leave no more records than the configuration says. */
export function refusalShare({ refusals, workers }: Config): RefusalLimits {
  const share = (limit: number) => (limit === 0 ? 0 : Math.max(1, Math.floor(limit / workers)));
  return {
    recordsPerMinute: share(refusals.recordsPerMinute),
    recordsPerMinuteAllSources: share(refusals.recordsPerMinuteAllSources),
    sourcesMax: share(refusals.sourcesMax),
    callerRecordsPerMinute: share(refusals.callerRecordsPerMinute),
  };
}

/** The connections as an exchange knows them. */
export function connectionsOf({ connections, identityProviders }: Config): Map<string, Connection> {
  const providers = (names: readonly string[]) =>
    names.flatMap((name) => {
      const provider = identityProviders[name];
      return provider === undefined ? [] : [{ name, ...provider }];
    });
  return new Map(
    Object.entries(connections).map(
      ([name, { publicUrl, rewriteResultsUrl, recording, policyData, lists, ...rest }]) => {
        const resultsUrlBase = rewriteResultsUrl && publicUrl !== undefined ? withoutEndSlash(publicUrl) : null;
        const own = { recording, policyData, limits: given(rest.limits), resultsUrlBase, lists };
        return [name, { name, identityProviders: providers(rest.identityProviders), ...own }];
      },
    ),
  );
}

function given(limits: Config['connections'][string]['limits']): Partial<ExchangeLimits> {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

/** In its normal form, which is ASCII. */
function withoutEndSlash(url: string): string {
  return new URL(url).href.replace(/\/+$/, '');
}
